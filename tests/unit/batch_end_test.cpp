// SPDX-License-Identifier: Apache-2.0
// A batch ends when its last item has, whatever the worker of that item does next: here it blocks its thread
// until somebody has seen the end.
#include <harrier/runtime.hpp>
#include <harrier/sync/event.hpp>

#include "held_worker.hpp"
#include "support.hpp"

#include <cstdint>
#include <functional>
#include <future>
#include <string>

namespace harrier::test {
namespace {

/// Blocks the thread until the test has looked; not for ever, so that a test that fails ends.
class look {
 public:
  task<> await() {
    await_blocking();
    co_return;
  }
  void await_blocking() {
    if (has_looked_.get_future().wait_for(1min) != std::future_status::ready) {
      ADD_FAILURE() << "the test did not look";
    }
  }
  void done() { has_looked_.set_value(); }

 private:
  std::promise<void> has_looked_;
};

/// An item of a batch makes the next step of the only worker ready, and ends.
class batch_end : public testing::TestWithParam<bool> {
 protected:
  void comes_first(const std::function<void()>& makes_ready) {
    const bool suspends = GetParam();
    auto item = [&](std::uint64_t) -> task<> {
      if (suspends) co_await sleep_for(1ms);
      makes_ready();
      co_return;
    };
    auto op = rt.dispatch(1, item);
    EXPECT_TRUE(op.wait_for(10s));
    at.done();
    op.get();
    EXPECT_TRUE(rt.drain(1min));
  }

  look at;
  runtime rt{std::size_t{1}};
};

INSTANTIATE_TEST_SUITE_P(items, batch_end, testing::Values(false, true), [](const auto& of) {
  return std::string(of.param ? "that_suspend" : "that_run_through");
});

TEST_P(batch_end, comes_before_a_task_that_blocks) {
  comes_first([&] { rt.spawn(at.await()).detach(); });
}

TEST_P(batch_end, comes_before_a_bound_task_that_blocks) {
  comes_first([&] { rt.spawn_on(0, at.await()).detach(); });
}

TEST_P(batch_end, comes_before_a_callback_that_blocks) {
  comes_first([&] { this_loop().call_soon([&] { at.await_blocking(); }); });
}

TEST_P(batch_end, comes_before_a_new_item_of_another_batch_that_blocks) {
  held_worker held(rt);
  auto other = rt.dispatch(1, [&](std::uint64_t) { return at.await(); });
  other.pause();
  held.release();
  comes_first([&] { other.resume(); });
}

TEST_P(batch_end, comes_before_an_item_that_yielded_and_blocks) {
  bool is_to_block = false;
  auto item = [&](std::uint64_t) -> task<> {
    while (!is_to_block) co_await yield();
    at.await_blocking();
  };
  auto other = rt.dispatch(1, item);
  comes_first([&] { is_to_block = true; });
}

TEST_P(batch_end, comes_before_an_item_that_waited_and_blocks) {
  event is_to_block;
  auto item = [&](std::uint64_t) -> task<> {
    co_await is_to_block.wait();
    at.await_blocking();
  };
  auto other = rt.dispatch(1, item);
  comes_first([&] { is_to_block.set(); });
}

}  // namespace
}  // namespace harrier::test
