// SPDX-License-Identifier: Apache-2.0
// runner_options::handle_signals. Rules R60-R70 of docs/asyncio.md. Every press is a raise() at a place
// that the loop's own order fixes: the handler has run when it returns.
#include "support.hpp"

#include <csignal>

namespace harrier::test {
namespace {

/// What a program finds when it asks for the action of a signal.
using handler = void (*)(int);
handler handler_of(int signal) {
  struct sigaction now{};
  ::sigaction(signal, nullptr, &now);
  return now.sa_handler;
}

class pressing {
 public:
  explicit pressing(signals which = signals::interrupt) : r(options(which)) {}
  event_loop& loop() { return r.loop(); }

 private:
  runner_options options(signals which) {
    runner_options o = on(time);
    o.handle_signals = which;
    o.exception_handler = std::ref(log);
    return o;
  }

 public:
  virtual_clock time;
  error_log log;
  runner r;
};

void press(int signal = SIGINT) { ::raise(signal); }

/// Ends by the first cancel, after a cleanup that takes `cleanup`.
task<> end_slowly(duration cleanup, bool& cleaned) {
  bool was_cancelled = false;
  try {
    co_await sleep_for(24h);
  } catch (const cancelled&) {
    was_cancelled = true;
  }
  if (was_cancelled) {
    co_await sleep_for(cleanup);
    cleaned = true;
    throw cancelled();
  }
}

// R62, R63
TEST(signals, the_first_press_cancels_main_and_run_throws_interrupted) {
  pressing p;
  bool cleaned = false;
  p.loop().call_later(1s, [] { press(); });
  try {
    p.r.run(end_slowly(2s, cleaned));
    FAIL() << "not interrupted";
  } catch (const interrupted& reason) {
    EXPECT_EQ(reason.signal(), SIGINT);
    EXPECT_STREQ(reason.what(), "interrupted by a signal");
  }
  EXPECT_TRUE(cleaned);
  EXPECT_EQ(p.time.now().time_since_epoch(), 3s);
}

// R62: also while it never waits.
TEST(signals, a_press_reaches_a_main_that_only_yields) {
  pressing p;
  auto main = [&]() -> task<> {
    p.loop().call_soon([] { press(); });
    for (;;) co_await yield();
  };
  EXPECT_THROW(p.r.run(main()), interrupted);
}

// R63
TEST(signals, a_main_that_somebody_else_cancelled_too_gives_run_cancelled) {
  pressing p;
  p.loop().call_later(1s, [&] {
    press();
    p.loop().live().for_each([](detail::task_record& main) { main.cancel(nullptr); });
  });
  EXPECT_THROW(p.r.run(sleep_for_ever()), run_cancelled);
}

// R64
TEST(signals, a_main_that_catches_the_cancel_gives_its_value) {
  pressing p;
  auto main = [&]() -> task<int> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
    }
    co_await sleep_for(1s);  // it goes on as if nothing had been
    co_return 5;
  };
  p.loop().call_later(1s, [] { press(); });
  EXPECT_EQ(p.r.run(main()), 5);
}

// R64
TEST(signals, a_converted_exception_wins) {
  pressing p;
  auto main = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      throw boom("converted");
    }
  };
  p.loop().call_later(1s, [] { press(); });
  EXPECT_THROW(p.r.run(main()), boom);
}

// R32, R33, R65, R70
TEST(signals, a_second_press_leaves_the_run_and_main_stays_pending) {
  pressing p;
  std::string order;
  auto main = [&]() -> task<> {
    try {
      co_await sleep_for(1h);
    } catch (const cancelled&) {
      order += 'c';
    }
    co_await sleep_for(1h);
    order += 'm';
  };
  p.loop().call_later(1s, [] { press(); });
  p.loop().call_later(2s, [] { press(); });
  EXPECT_THROW(p.r.run(main()), interrupted);
  EXPECT_EQ(p.time.now().time_since_epoch(), 2s);
  EXPECT_EQ(order, "c");
  EXPECT_EQ(p.loop().live_tasks(), 1u);
  EXPECT_EQ(p.r.run(give(1)), 1) << "the runner is as usable as before";
  p.r.run(sleep_for(2h));
  EXPECT_EQ(order, "cm") << "the abandoned main went on";
}

// R66
TEST(signals, presses_are_counted_anew_by_each_run) {
  pressing p;
  for (int round = 0; round < 3; ++round) {
    bool cleaned = false;
    p.loop().call_later(1s, [] { press(); });
    EXPECT_THROW(p.r.run(end_slowly(1s, cleaned)), interrupted);
    EXPECT_TRUE(cleaned) << "a second press would not have let it";
  }
}

// R67
TEST(signals, background_tasks_are_untouched) {
  pressing p;
  bool ended = false;
  auto background = [&]() -> task<> {
    co_await sleep_for(10s);
    ended = true;
  };
  auto handle = p.loop().spawn(background());
  p.loop().call_later(1s, [] { press(); });
  EXPECT_THROW(p.r.run(sleep_for_ever()), interrupted);
  EXPECT_FALSE(handle.done());
  p.r.run(sleep_for(1h));
  EXPECT_TRUE(ended);
}

// Decided: a press between two runs is not lost, and however many there were they are one.
TEST(signals, presses_between_runs_are_one_press_for_the_next) {
  pressing p;
  p.r.run(give(1));
  press();
  press();
  bool started = false;
  auto main = [&]() -> task<> {
    started = true;
    co_await sleep_for(1h);
  };
  EXPECT_THROW(p.r.run(main()), interrupted);
  EXPECT_FALSE(started);
  EXPECT_EQ(p.r.run(give(2)), 2);
}

TEST(signals, a_storm_is_two_presses_at_least_and_breaks_nothing) {
  pressing p;
  p.loop().call_later(1s, [] {
    for (int i = 0; i < 1000; ++i) press();
  });
  EXPECT_THROW(p.r.run(sleep_for_ever()), interrupted);
  EXPECT_EQ(p.r.run(give(3)), 3);
}

TEST(signals, a_storm_from_other_threads_ends_every_run) {
  pressing p;
  p.r.run(give(1));  // from here on the signal is ours
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (int i = 0; i < 250; ++i) press();
    });
  }
  int interrupts = 0;
  for (int i = 0; i < 100; ++i) {
    try {
      p.r.run(sleep_for(1s));
    } catch (const interrupted&) {
      ++interrupts;
    }
  }
  for (std::thread& each : threads) each.join();
  try {
    p.r.run(yield());
  } catch (const interrupted&) {
    ++interrupts;
  }
  EXPECT_GE(interrupts, 1);
  EXPECT_EQ(p.r.run(give(4)), 4);
}

// The loop sleeps in the futex on the machine's clock: the press of another thread wakes it.
TEST(signals, a_press_wakes_a_loop_that_sleeps) {
  runner_options options;
  options.handle_signals = signals::interrupt_and_terminate;
  runner r(options);
  tally waits;
  auto main = [&]() -> task<> {
    this_loop().call_soon([&] { waits.add(); });
    co_await sleep_for_ever();
  };
  std::thread presser([&] {
    waits.wait_for(1);
    press(SIGTERM);
  });
  try {
    r.run(main());
    ADD_FAILURE() << "not interrupted";
  } catch (const interrupted& reason) {
    EXPECT_EQ(reason.signal(), SIGTERM);
    EXPECT_STREQ(reason.what(), "terminated by a signal");
  }
  presser.join();
}

// R60, R61, R70
TEST(signals, the_handler_is_there_from_the_first_run_to_the_close) {
  const handler before = handler_of(SIGINT);
  ASSERT_EQ(before, SIG_DFL);
  {
    pressing p;
    (void)p.loop();
    EXPECT_EQ(handler_of(SIGINT), SIG_DFL) << "a loop that never ran takes nothing";
    p.r.run(give(1));
    EXPECT_NE(handler_of(SIGINT), SIG_DFL);
    EXPECT_EQ(handler_of(SIGTERM), SIG_DFL) << "not asked for";
    p.r.close();
    EXPECT_EQ(handler_of(SIGINT), SIG_DFL);
  }
  runner plain;
  plain.run(give(1));
  EXPECT_EQ(handler_of(SIGINT), SIG_DFL) << "not asked for";
}

void users_own(int /*signal*/) {}

// R60
TEST(signals, the_programs_own_handler_is_left_alone) {
  ASSERT_NE(std::signal(SIGINT, users_own), SIG_ERR);
  {
    pressing p;
    p.loop().call_soon([] { press(); });
    EXPECT_EQ(p.r.run(sleep_then(1s, 6)), 6);
    EXPECT_EQ(handler_of(SIGINT), users_own);
  }
  EXPECT_EQ(handler_of(SIGINT), users_own);
  std::signal(SIGINT, SIG_IGN);
  {
    pressing p;
    p.loop().call_soon([] { press(); });
    EXPECT_EQ(p.r.run(sleep_then(1s, 7)), 7);
  }
  EXPECT_EQ(handler_of(SIGINT), SIG_IGN);
  std::signal(SIGINT, SIG_DFL);
}

// R61: only if it is still ours.
TEST(signals, a_handler_that_the_program_set_since_is_kept) {
  {
    pressing p;
    p.r.run(give(1));
    std::signal(SIGINT, users_own);
  }
  EXPECT_EQ(handler_of(SIGINT), users_own);
  std::signal(SIGINT, SIG_DFL);
}

TEST(signals, the_second_runner_does_without) {
  pressing first;
  pressing second;
  first.r.run(give(1));
  second.r.run(give(1));
  second.loop().call_soon([] { press(); });
  EXPECT_EQ(second.r.run(sleep_then(1s, 8)), 8);
  second.r.close();
  EXPECT_NE(handler_of(SIGINT), SIG_DFL) << "it is the first one's still";
  EXPECT_THROW(first.r.run(sleep_for_ever()), interrupted);
}

TEST(signals, a_press_ends_the_grace_of_a_close) {
  pressing p;
  auto stubborn = [&]() -> task<> {
    for (int cancels = 0; cancels < 2;) {
      try {
        co_await sleep_for(24h);
      } catch (const cancelled&) {
        if (++cancels == 1) this_loop().call_later(1s, [] { press(); });
      }
    }
  };
  p.r.run(yield());
  p.loop().spawn(stubborn(), "stubborn").detach();
  p.r.run(yield());
  p.r.close(close_options().within(1h));
  EXPECT_EQ(p.time.now().time_since_epoch(), 1s);
  ASSERT_EQ(p.log.size(), 1u);
  EXPECT_EQ(p.log.at(0).task_name, "stubborn");
}

}  // namespace
}  // namespace harrier::test
