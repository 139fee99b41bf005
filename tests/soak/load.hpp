// SPDX-License-Identifier: Apache-2.0
// What one thread of ordinary code hands in: tasks and batches of every kind, chosen by a seed, each
// counted when it is handed in and once more by how it ended.
#pragma once

#include <harrier/runtime.hpp>

#include <atomic>
#include <cstdint>
#include <random>

namespace harrier::soak {

class totals {
 public:
  std::atomic<std::uint64_t> submitted{0};
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
  std::atomic<std::uint64_t> rejected{0};  // and never started
  std::atomic<std::uint64_t> wrong{0};  // results that are not what they should be
};

class load {
 public:
  load(runtime& rt, totals& sum, std::uint64_t seed) : rt_(rt), sum_(sum), random_(seed) {}

  /// Hands something in and waits until it has ended. False: the runtime takes no more.
  bool hand_in();

 private:
  bool one_task();
  bool one_batch();
  bool one_stream();

  runtime& rt_;
  totals& sum_;
  std::mt19937_64 random_;
};

}  // namespace harrier::soak
