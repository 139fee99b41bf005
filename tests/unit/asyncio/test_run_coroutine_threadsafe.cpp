// SPDX-License-Identifier: Apache-2.0
// test_run_coroutine_threadsafe, of test_tasks: event_loop::submit. There the test's body runs in an
// executor; here it runs on a thread beside the one that runs the loop.
// Left out: test_run_coroutine_threadsafe_task_factory_exception (there is no task factory).
#include "unit/support.hpp"

namespace harrier::test {
namespace {

/// Runs `body(loop)` on a thread of its own while this one runs the loop.
template <class Body>
void beside_a_loop(Body body) {
  runner r;
  event_loop& loop = r.loop();
  std::exception_ptr failed;
  join_handle<void> open = loop.spawn(sleep_for_ever());
  std::thread other([&] {
    try {
      body(loop);
    } catch (...) {
      failed = std::current_exception();
    }
    loop.post([&] { open.cancel(); });
  });
  auto main = [&]() -> task<> {
    try {
      co_await open;
    } catch (const cancelled&) {
    }
  };
  r.run(main());
  other.join();
  if (failed) std::rethrow_exception(failed);
}

task<int> add(int a, int b, bool fail = false, bool cancel_itself = false) {
  co_await sleep_for(1us);
  if (fail) throw boom("Fail!");
  if (cancel_itself) throw cancelled();
  co_return a + b;
}

TEST(test_run_coroutine_threadsafe, test_run_coroutine_threadsafe) {
  beside_a_loop([](event_loop& loop) { EXPECT_EQ(loop.submit(add(1, 2)).get(), 3); });
}

TEST(test_run_coroutine_threadsafe, test_run_coroutine_threadsafe_with_exception) {
  beside_a_loop([](event_loop& loop) {
    // Named, so that it goes after the error has been read: ThreadSanitizer does not see how the C++
    // library counts the holders of an exception.
    auto handle = loop.submit(add(1, 2, true));
    try {
      handle.get();
      ADD_FAILURE() << "nothing was thrown";
    } catch (const boom& error) {
      EXPECT_STREQ(error.what(), "Fail!");
    }
  });
}

TEST(test_run_coroutine_threadsafe, test_run_coroutine_threadsafe_with_timeout) {
  beside_a_loop([](event_loop& loop) {
    auto handle = loop.submit(sleep_then(1h, 3));
    EXPECT_FALSE(handle.wait_for(0s));
    EXPECT_TRUE(handle.cancel());
    EXPECT_THROW(handle.get(), run_cancelled);
    EXPECT_TRUE(handle.done());
  });
}

TEST(test_run_coroutine_threadsafe, test_run_coroutine_threadsafe_task_cancelled) {
  beside_a_loop([](event_loop& loop) {
    auto handle = loop.submit(add(1, 2, false, true));
    EXPECT_THROW(handle.get(), run_cancelled);
  });
}

}  // namespace
}  // namespace harrier::test
