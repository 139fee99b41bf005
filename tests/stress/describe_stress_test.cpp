// SPDX-License-Identifier: Apache-2.0
// Reading where tasks wait, while wakers and cancellers want them: nothing is lost, and nobody reads a
// frame that is gone.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <array>

namespace harrier::test {
namespace {

/// Gives the record of the task that awaits it.
class own_record {
 public:
  using harrier_native = void;

  class awaiter {
   public:
    awaiter() noexcept {}
    bool await_ready() const noexcept { return false; }
    template <class Promise>
    bool await_suspend(std::coroutine_handle<Promise> handle) {
      record_ = &handle.promise().record();
      return false;
    }
    detail::task_record& await_resume() const noexcept { return *record_; }

   private:
    detail::task_record* record_ = nullptr;
  };

  own_record() noexcept {}
  awaiter operator co_await() const noexcept { return awaiter(); }
};

task<> nap(std::uint64_t value) { co_await sleep_for(std::chrono::microseconds(value % 40)); }

task<> wait_somehow(std::uint64_t value) {
  if (value % 3 == 0) {
    co_await yield();
  } else if (value % 3 == 1) {
    auto inner = nap(value);
    co_await inner;
  } else {
    auto other = spawn(nap(value));
    co_await other;
  }
}

TEST(describe, races_with_wakes_and_cancels) {
  constexpr std::size_t tasks = 8;
  constexpr std::uint64_t steps = 200;
  stress([&](std::uint64_t seed) {
    std::array<std::atomic<detail::task_record*>, tasks> records{};
    std::atomic<bool> over{false};
    auto work = [&](std::uint64_t index) -> task<> {
      const own_record mine;
      detail::task_record& self = co_await mine;
      self.add_reference();
      records[index] = &self;
      for (std::uint64_t step = 0; step < steps; ++step) {
        try {
          auto wait = wait_somehow(mix(seed, index * steps + step));
          co_await wait;
        } catch (const cancelled&) {  // it goes on
        }
      }
    };
    runtime rt(std::size_t{2});
    std::vector<join_handle<void>> handles;
    for (std::size_t i = 0; i < tasks; ++i) handles.push_back(rt.spawn(work(i), "worker"));
    std::thread reader([&] {
      while (!over) {
        for (auto& each : records) {
          detail::task_record* record = each;
          if (record == nullptr) continue;
          const error_report report = detail::describe(*record, "asked");
          EXPECT_EQ(report.task_name, "worker");
          EXPECT_LE(report.waits_at.size(), 3u);
        }
      }
    });
    std::thread canceller([&] {
      for (std::uint64_t i = 0; i < 300; ++i) {
        handles[mix(seed, i) % tasks].cancel();
        std::this_thread::yield();
      }
    });
    canceller.join();
    for (join_handle<void>& each : handles) {
      try {
        each.get();
      } catch (const run_cancelled&) {  // by a cancel that came at its end
      }
    }
    over = true;
    reader.join();
    for (auto& each : records) {
      if (detail::task_record* record = each) record->drop_reference();
    }
  });
}

}  // namespace
}  // namespace harrier::test
