// SPDX-License-Identifier: Apache-2.0
// The k-th thread cannot be made, for every k: fewer workers do the work, or, if there is none at all,
// the call says so and starts nothing.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <functional>
#include <iostream>
#include <string>
#include <system_error>

namespace harrier::test {
namespace {

constexpr std::size_t workers = 4;

/// Refuses the thread of the k-th attempt, or that one and all that follow.
class thread_fault {
 public:
  thread_fault(int k, bool goes_on) : k_(k), goes_on_(goes_on) {}

  runtime_options options() {
    runtime_options options;
    options.provider = thread_provider::own_threads;  // the one with a thread_factory
    options.workers = workers;
    options.thread_factory = [this](std::function<void()> body) {
      const int attempt = ++attempts_;
      if (attempt == k_ || (goes_on_ && attempt > k_)) {
        ++refused_;
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
      }
      return std::thread(std::move(body));
    };
    return options;
  }
  int refused() const { return refused_; }

 private:
  int k_;
  bool goes_on_;
  std::atomic<int> attempts_{0};
  std::atomic<int> refused_{0};
};

/// All that a runtime starts threads for. False: it said that there is none.
bool use(runtime& rt) {
  try {
    auto op = rt.dispatch(100, [](std::uint64_t i) { return give(static_cast<int>(i)); });
    EXPECT_EQ(op.get()[99], 99);
    auto main = []() -> task<int> {
      std::vector<task<int>> tasks;
      for (int i = 0; i < 50; ++i) tasks.push_back(give(i));
      auto all = when_all(std::move(tasks));
      auto results = co_await all;
      co_return results[49];
    };
    EXPECT_EQ(rt.run(main()), 49);
    return true;
  } catch (const std::system_error& said) {
    EXPECT_NE(std::string(said.what()).find("no worker thread could be started"), std::string::npos)
        << said.what();
    return false;
  }
}

class thread_faults : public testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(lasting, thread_faults, testing::Bool(), [](const auto& goes_on) {
  return goes_on.param ? "that_one_and_all_others" : "that_one";
});

TEST_P(thread_faults, leave_a_runtime_that_works) {
  int faults = 0;
  for (int k = 1;; ++k) {
    SCOPED_TRACE("thread " + std::to_string(k));
    thread_fault fault(k, GetParam());
    {
      runtime rt(fault.options());
      const bool worked = use(rt);
      EXPECT_EQ(worked, k > 1) << "without the first thread, nothing is taken";
      if (!GetParam()) {
        EXPECT_TRUE(use(rt)) << "the next call finds a thread";
      }
    }
    EXPECT_EQ(live_frames(), 0u);
    if (HasFailure()) return;
    if (k > static_cast<int>(workers) && fault.refused() == 0) break;
    ++faults;
  }
  std::cout << "faults injected: " << faults << std::endl;
}

TEST(thread_faults, of_the_worker_that_a_task_is_bound_to_are_told) {
  for (int k = 1; k <= static_cast<int>(workers); ++k) {
    SCOPED_TRACE("thread " + std::to_string(k));
    thread_fault fault(k, true);
    runtime rt(fault.options());
    bool started = false;
    auto touch = [&]() -> task<> {
      started = true;
      co_return;
    };
    EXPECT_THROW((void)rt.spawn_on(workers - 1, touch()), std::system_error);
    EXPECT_FALSE(started);
    EXPECT_EQ(rt.metrics().threads_started, static_cast<std::uint64_t>(k - 1));
    if (k > 1) {
      EXPECT_EQ(rt.run(give(7)), 7);
    }
  }
}

}  // namespace
}  // namespace harrier::test
