// SPDX-License-Identifier: Apache-2.0
// Code of the program that throws where nobody can catch it, and code that runs while the program ends.
#include <harrier/runtime.hpp>

#include "fault/child.hpp"

#include <csignal>
#include <cstdlib>
#include <optional>

namespace harrier::test {
namespace {

class hooks_DeathTest : public testing::TestWithParam<thread_provider> {
 protected:
  // Each in a process that is started anew: a copy of one with threads would lack them.
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  static runtime_options options() {
    runtime_options made;
    made.workers = 2;
    made.provider = GetParam();
    return made;
  }
};
INSTANTIATE_TEST_SUITE_P(providers, hooks_DeathTest,
                         testing::Values(thread_provider::own_threads, thread_provider::task_arena),
                         [](const auto& of) {
                           return of.param == thread_provider::own_threads ? "own_threads"
                                                                           : "task_arena";
                         });

// A worker must not be lost in silence: the program ends, and says what was thrown.
TEST_P(hooks_DeathTest, that_throw_as_a_thread_starts_end_the_program) {
  auto start = [] {
    runtime_options made = options();
    made.on_thread_start = [](std::size_t) { throw boom("from the hook at the start"); };
    runtime rt(std::move(made));
    rt.run(give(1));
  };
  EXPECT_EXIT(start(), testing::KilledBySignal(SIGABRT), "from the hook at the start");
}

TEST_P(hooks_DeathTest, that_throw_as_a_thread_stops_end_the_program) {
  auto stop = [] {
    runtime_options made = options();
    made.on_thread_stop = [](std::size_t) { throw boom("from the hook at the end"); };
    runtime rt(std::move(made));
    rt.run(give(1));
    rt.stop();
  };
  EXPECT_EXIT(stop(), testing::KilledBySignal(SIGABRT), "from the hook at the end");
}

TEST(hooks, exception_handlers_that_throw_do_no_harm) {
  {
    runtime_options options;
    options.workers = 2;
    options.exception_handler = [](const error_report&) { throw boom("from the handler"); };
    runtime rt(std::move(options));
    for (int round = 0; round < 10; ++round) rt.spawn(throw_boom()).detach();
    EXPECT_TRUE(is_at_rest(rt));
    EXPECT_EQ(rt.run(give(7)), 7);
  }
  EXPECT_TRUE(nothing_is_left());
}

/// Ends the process with what `is_right` says, from a static object's destructor.
template <class Question>
class verdict {
 public:
  explicit verdict(Question is_right) : is_right_(is_right) {}
  ~verdict() { ::_exit(is_right_() ? 0 : 1); }
  verdict(const verdict&) = delete;
  verdict& operator=(const verdict&) = delete;

 private:
  Question is_right_;
};

TEST(static_objects_DeathTest, a_runtime_ends_what_it_has_when_the_program_ends) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto leave = [] {
    static const verdict at_the_end(nothing_is_left);  // made first, destroyed last
    static runtime rt(std::size_t{2});
    static tally started;
    auto item = [](std::uint64_t) -> task<> {
      started.add();
      co_await sleep_for(24h);
    };
    rt.dispatch(10, item).detach();
    rt.spawn(sleep_for_ever()).detach();
    started.wait_for(10);
    std::exit(3);
  };
  EXPECT_EXIT(leave(), testing::ExitedWithCode(0), "");
}

TEST(static_objects_DeathTest, use_a_runtime_that_outlives_them) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto leave = [] {
    static bool was_right = false;
    static const verdict at_the_end([] { return was_right && nothing_is_left(); });
    static runtime rt(std::size_t{2});
    class user {
     public:
      ~user() {
        auto op = rt.dispatch(100, [](std::uint64_t i) { return give(static_cast<int>(i)); });
        was_right = op.get()[99] == 99 && rt.run(sleep_then(1ms, 5)) == 5 && is_at_rest(rt);
      }
    };
    static const user last_use;
    std::exit(3);
  };
  EXPECT_EXIT(leave(), testing::ExitedWithCode(0), "");
}

TEST(static_objects_DeathTest, make_a_runtime_of_their_own) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto leave = [] {
    static bool was_right = false;
    static const verdict at_the_end([] { return was_right && nothing_is_left(); });
    class user {
     public:
      ~user() {
        runtime rt(std::size_t{2});
        was_right = rt.run(sleep_then(1ms, 5)) == 5 && is_at_rest(rt);
      }
    };
    static const user late;
    std::exit(3);
  };
  EXPECT_EXIT(leave(), testing::ExitedWithCode(0), "");
}

// What harrier keeps for a thread may be gone by then; nothing of it is lost or used.
TEST(thread_locals, use_a_runtime_as_their_thread_ends) {
  {
    runtime rt(std::size_t{2});
    std::atomic<int> right{0};
    class user {
     public:
      runtime* rt = nullptr;
      std::atomic<int>* right = nullptr;
      ~user() {
        if (rt != nullptr && rt->run(sleep_then(1ms, 5)) == 5 && run(give(2)) == 2) ++*right;
      }
    };
    for (const bool is_first : {true, false}) {
      std::thread thread([&] {
        thread_local user late;
        if (!is_first) {
          EXPECT_EQ(rt.run(give(1)), 1);
        }
        late.rt = &rt;
        late.right = &right;
        if (is_first) {
          EXPECT_EQ(rt.run(give(1)), 1);
        }
      });
      thread.join();
    }
    EXPECT_EQ(right, 2);
    EXPECT_TRUE(is_at_rest(rt));
  }
  EXPECT_TRUE(nothing_is_left());
}

}  // namespace
}  // namespace harrier::test
