// SPDX-License-Identifier: Apache-2.0
// cross_thread_post: one thread hands functions to another thread's loop.
//   cross_thread_post  as many as it can; the loop's thread runs them
//   post_latency       one at a time, to a loop whose thread has gone to sleep
//
// Question  what does a post cost, and how long until a parked loop has run it?
// Unit      ns of wall time per post, from the first until the last has run; ns from a post until
//           the caller knows that it ran, one futex wake each way.
// Unfair    posting in bulk; a loop that spins through the pauses of post_latency (each is 200 us;
//           the idle_cpu workload shows who does). futex is the same exchange with nothing in
//           between: two threads, one futex wake each way.
// Sizes     HARRIER_BENCH_CROSS_THREAD_POST_N: 1000, 100000, official 1000000;
//           HARRIER_BENCH_POST_LATENCY_N: 20, 500, 2000.
#pragma once

#include "../common/contender.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>

namespace bench::cross_thread_post {

/// A flag that one thread sleeps on and another one raises, on a bare futex.
class futex_flag {
 public:
  void raise() {
    word_.store(1);
    syscall(SYS_futex, &word_, FUTEX_WAKE_PRIVATE, 1, nullptr, nullptr, 0);
  }
  /// Waits until the flag is raised and lowers it.
  void wait() {
    while (word_.exchange(0) == 0) {
      syscall(SYS_futex, &word_, FUTEX_WAIT_PRIVATE, 0, nullptr, nullptr, 0);
    }
  }

 private:
  std::atomic<std::uint32_t> word_ = 0;
};

/// Where posted functions leave their mark; the posting thread waits until all have. They run on
/// one thread, in any order.
class sink {
 public:
  void expect(std::uint64_t functions) {
    left_ = functions;
    sum_ = 0;
  }
  void take(std::uint64_t i) {
    sum_ += i;
    if (--left_ == 0) done_.raise();
  }
  std::uint64_t wait_for_sum() {
    done_.wait();
    return sum_;
  }

 private:
  // Written by the posting thread while nothing is under way, else by the thread that runs.
  std::uint64_t left_ = 0;
  std::uint64_t sum_ = 0;
  futex_flag done_;
};

/// A contender's measurement; post(i, sink) hands over a function which calls sink.take(i).
template <class F>
measurement measure(F post) {
  const std::uint64_t n = parameter("CROSS_THREAD_POST_N", 1'000, 100'000, 1'000'000);
  auto to = std::make_shared<sink>();
  return measurement(static_cast<double>(n), [n, to, post = std::move(post)] {
    to->expect(n);
    std::uint64_t sum = 0;
    const duration taken = timed([&] {
      for (std::uint64_t i = 0; i < n; ++i) post(i, *to);
      sum = to->wait_for_sum();
    });
    check(sum == n * (n - 1) / 2, "cross_thread_post");
    return taken;
  });
}

/// The same for one post at a time.
template <class F>
measurement measure_latency(F post) {
  const std::uint64_t n = parameter("POST_LATENCY_N", 20, 500, 2'000);
  auto to = std::make_shared<sink>();
  return measurement(static_cast<double>(n), [n, to, post = std::move(post)] {
    duration taken{};
    for (std::uint64_t i = 0; i < n; ++i) {
      std::this_thread::sleep_for(std::chrono::microseconds(200));
      to->expect(1);
      taken += timed([&] {
        post(i, *to);
        to->wait_for_sum();
      });
    }
    return taken;
  });
}

}  // namespace bench::cross_thread_post
