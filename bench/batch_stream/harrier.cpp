// SPDX-License-Identifier: Apache-2.0
// batch_stream as a stream that ordinary code reads (harrier) and one that a coroutine reads
// (harrier_awaited); and by hand, with a semaphore around spawns (harrier_semaphore).
#include <harrier/runtime.hpp>

#include "../common/frame_bytes.hpp"
#include "config.hpp"

#include <memory>

namespace bench::batch_stream {
namespace {

harrier::task<std::uint64_t> index(std::uint64_t i) { co_return i; }

std::uint64_t read(harrier::runtime& rt, std::uint64_t n) {
  auto stream = rt.stream(n, index, harrier::dispatch_options().with_window(window));
  std::uint64_t sum = 0;
  while (auto item = stream.wait_next()) sum += item->value;
  return sum;
}

harrier::task<std::uint64_t> read_in_task(harrier::runtime* rt, std::uint64_t n) {
  auto stream = rt->stream(n, index, harrier::dispatch_options().with_window(window));
  std::uint64_t sum = 0;
  for (;;) {
    auto next = stream.next();
    const auto item = co_await next;
    if (!item) co_return sum;
    sum += item->value;
  }
}

/// What the tasks of one round share.
class by_hand {
 public:
  by_hand() = default;
  harrier::semaphore permits{static_cast<std::ptrdiff_t>(window)};
  harrier::channel<std::uint64_t> results{harrier::unbounded};
};

harrier::task<> send_index(by_hand* shared, std::uint64_t i) {
  auto result = index(i);
  const std::uint64_t value = co_await result;
  co_await shared->results.send(value);
}

harrier::task<> spawn_all(by_hand* shared, std::uint64_t n) {
  for (std::uint64_t i = 0; i < n; ++i) {
    co_await shared->permits.acquire();
    harrier::spawn(send_index(shared, i)).detach();
  }
}

harrier::task<std::uint64_t> read_by_hand(std::uint64_t n) {
  by_hand shared;
  auto spawning = harrier::spawn(spawn_all(&shared, n));
  std::uint64_t sum = 0;
  for (std::uint64_t taken = 0; taken < n; ++taken) {
    auto next = shared.results.receive();
    const auto item = co_await next;
    sum += *item;
    shared.permits.release();
  }
  co_await spawning;
  co_return sum;
}

template <class Run>
contender make(const char* name, Run run) {
  return contender("batch_stream", name, worker_counts(), [run](std::size_t workers) {
    auto rt = std::make_shared<harrier::runtime>(workers);
    return measure([rt, run](std::uint64_t n) { return run(*rt, n); })
        .with_counter("frame_bytes", [] { return frame_bytes(index(0)); });
  });
}

const contender in_ordinary_code = make("harrier", read);
const contender in_a_task = make("harrier_awaited", [](harrier::runtime& rt, std::uint64_t n) {
  return rt.run(read_in_task(&rt, n));
});
const contender around_spawns =
    make("harrier_semaphore",
         [](harrier::runtime& rt, std::uint64_t n) { return rt.run(read_by_hand(n)); });

}  // namespace
}  // namespace bench::batch_stream
