// SPDX-License-Identifier: Apache-2.0
// task<T>: what it carries, when it starts, who owns its frame.
#include "support.hpp"

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier::test {
namespace {

static_assert(!std::is_copy_constructible_v<task<int>>);
static_assert(!std::is_copy_assignable_v<task<int>>);
static_assert(std::is_nothrow_move_constructible_v<task<int>>);
static_assert(std::is_nothrow_move_assignable_v<task<int>>);
static_assert(std::is_nothrow_move_constructible_v<task<>>);
static_assert(sizeof(task<std::string>) == sizeof(void*));

// noinline: clang may otherwise elide a frame that never leaves its caller, and the count with it.
[[gnu::noinline]] task<int> counted_child(int value) { co_return value; }

task<> mark(bool& started) {
  started = true;
  co_return;
}

[[gnu::noinline]] task<> keep(tracked /*value*/) { co_return; }

TEST(task, returns_a_value) { EXPECT_EQ(run(give(42)), 42); }

TEST(task, returns_a_move_only_value) {
  auto make = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(7); };
  auto pass_on = [&]() -> task<std::unique_ptr<int>> {
    auto child = make();
    std::unique_ptr<int> value = co_await child;
    *value += 1;
    co_return value;
  };
  const std::unique_ptr<int> result = run(pass_on());
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(*result, 8);
}

TEST(task, returns_a_reference_to_the_very_object) {
  int object = 1;
  auto refer = [&]() -> task<int&> { co_return object; };
  auto pass_on = [&]() -> task<int&> {
    auto child = refer();
    int& inner = co_await child;
    inner = 5;
    co_return inner;
  };
  int& result = run(pass_on());
  EXPECT_EQ(&result, &object);
  EXPECT_EQ(object, 5);
}

TEST(task, returns_a_reference_to_const) {
  const std::string text = "a text that is too long for the small string buffer";
  auto refer = [&]() -> task<const std::string&> { co_return text; };
  const std::string& result = run(refer());
  EXPECT_EQ(&result, &text);
}

TEST(task, returns_nothing) {
  bool started = false;
  run(mark(started));
  EXPECT_TRUE(started);
  static_assert(std::is_void_v<decltype(run(mark(started)))>);
}

TEST(task, returns_a_type_without_default_constructor_or_assignment) {
  class odd {
   public:
    explicit odd(int v) : value(v) {}
    odd(odd&&) = default;
    odd& operator=(odd&&) = delete;
    int value;
  };
  auto make = []() -> task<odd> { co_return odd(3); };
  EXPECT_EQ(run(make()).value, 3);
}

TEST(task, returns_an_over_aligned_value) {
  struct alignas(64) wide {
    wide() : value(0) {}
    explicit wide(int v) : value(v) {}
    int value;
  };
  auto make = []() -> task<wide> {
    wide local(9);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&local) % 64, 0u);
    co_return local;
  };
  EXPECT_EQ(run(make()).value, 9);
}

TEST(task, exception_reaches_the_awaiting_coroutine) {
  auto parent = []() -> task<std::string> {
    auto child = throw_boom("from the child");
    std::string seen;
    try {
      co_await child;
    } catch (const boom& e) {
      seen = e.what();
    }
    co_return seen;
  };
  EXPECT_EQ(run(parent()), "from the child");
}

TEST(task, exception_passes_through_parents_that_do_not_catch) {
  auto middle = []() -> task<int> {
    auto child = throw_boom();
    const int value = co_await child;
    co_return value;
  };
  auto outer = [&]() -> task<int> {
    auto child = middle();
    const int value = co_await child;
    co_return value;
  };
  EXPECT_THROW(run(outer()), boom);
}

TEST(task, exception_of_any_type_is_carried) {
  auto thrower = []() -> task<> {
    throw 42;
    co_return;
  };
  try {
    run(thrower());
    FAIL() << "nothing was thrown";
  } catch (int value) {
    EXPECT_EQ(value, 42);
  }
}

TEST(task, exception_after_a_suspension_is_carried) {
  virtual_clock time;
  runner r(on(time));
  EXPECT_THROW(r.run(sleep_then_throw(1ms, "late")), boom);
  EXPECT_EQ(r.loop().now().time_since_epoch(), 1ms);
}

// A result whose n-th move throws; moves made before that succeed.
class fussy {
 public:
  explicit fussy(int moves_left) noexcept : moves_left_(moves_left) {}
  fussy(fussy&& other) : moves_left_(other.moves_left_ - 1) {
    if (moves_left_ < 0) throw boom("move");
  }
  fussy& operator=(fussy&&) = delete;

 private:
  int moves_left_;
  tracked life_;
};

TEST(task, throwing_move_into_the_result_reaches_the_awaiter) {
  auto make = []() -> task<fussy> {
    fussy value(0);
    co_return std::move(value);
  };
  EXPECT_THROW((void)run(make()), boom);
}

TEST(task, throwing_move_out_of_the_result_reaches_the_awaiter) {
  // Wherever on the way from the child to here the n-th move happens, this function sees boom once
  // and nothing is left over; with enough moves granted the value arrives.
  auto make = [](int moves) -> task<fussy> {
    fussy value(moves);
    co_return std::move(value);
  };
  auto pass_on = [&](int moves) -> task<fussy> {
    auto child = make(moves);
    fussy value = co_await child;
    co_return std::move(value);
  };
  int failures = 0;
  for (int moves = 0; moves < 16; ++moves) {
    try {
      (void)run(pass_on(moves));
    } catch (const boom&) {
      ++failures;
    }
    EXPECT_EQ(live_frames(), 0u);
    EXPECT_EQ(tracked::alive(), 0);
  }
  EXPECT_GE(failures, 2);
  EXPECT_LT(failures, 16);
}

class throws_on_copy {
 public:
  throws_on_copy() = default;
  throws_on_copy(const throws_on_copy& /*other*/) { throw boom("copy"); }
  throws_on_copy& operator=(const throws_on_copy&) = delete;
};

[[gnu::noinline]] task<> take(tracked /*first*/, throws_on_copy /*second*/) { co_return; }

TEST(task, throwing_parameter_copy_frees_the_frame) {
  const throws_on_copy value;
  EXPECT_THROW((void)take(tracked(), value), boom);
  EXPECT_EQ(live_frames(), 0u);
}

TEST(task, is_lazy) {
  bool started = false;
  auto main = [&]() -> task<> {
    auto child = mark(started);
    EXPECT_FALSE(started);
    co_await child;
    EXPECT_TRUE(started);
  };
  auto t = main();
  EXPECT_FALSE(started);
  run(std::move(t));
  EXPECT_TRUE(started);
}

TEST(task, awaits_a_temporary) {
  auto main = []() -> task<int> {
    const int value = co_await give(6);
    co_return value * 7;
  };
  EXPECT_EQ(run(main()), 42);
}

TEST(task, dropped_unstarted_frees_its_frame_and_its_parameters) {
  {
    const task<> t = keep(tracked());
    EXPECT_TRUE(t.valid());
    EXPECT_EQ(live_frames(), 1u);
    EXPECT_EQ(tracked::alive(), 1);
  }
  EXPECT_EQ(live_frames(), 0u);
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(task, frames_are_counted_while_they_live) {
  std::vector<task<int>> tasks;
  for (int i = 0; i < 100; ++i) tasks.push_back(counted_child(i));
  EXPECT_EQ(live_frames(), 100u);
  tasks.clear();
  EXPECT_EQ(live_frames(), 0u);
}

TEST(task, parameters_live_as_long_as_the_frame) {
  auto main = []() -> task<> {
    {
      auto child = keep(tracked());
      EXPECT_EQ(tracked::alive(), 1);
      co_await child;
    }
    EXPECT_EQ(tracked::alive(), 0);
  };
  run(main());
}

TEST(task, awaited_twice_throws_invalid_task) {
  auto main = []() -> task<int> {
    auto child = give(1);
    const int first = co_await child;
    int second = 0;
    try {
      second = co_await child;
    } catch (const invalid_task&) {
      second = -1;
    }
    co_return first * 10 + second;
  };
  EXPECT_EQ(run(main()), 9);
}

TEST(task, awaiting_a_moved_from_task_throws_invalid_task) {
  auto main = []() -> task<int> {
    auto child = give(1);
    auto other = std::move(child);
    EXPECT_FALSE(child.valid());  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(other.valid());
    bool refused = false;
    try {
      co_await child;
    } catch (const invalid_task&) {
      refused = true;
    }
    EXPECT_TRUE(refused);
    const int value = co_await other;
    co_return value;
  };
  EXPECT_EQ(run(main()), 1);
}

TEST(task, running_a_moved_from_task_throws_invalid_task) {
  runner r;
  auto t = give(1);
  auto other = std::move(t);
  EXPECT_THROW(r.run(std::move(t)), invalid_task);  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(r.run(std::move(other)), 1);
}

TEST(task, move_assignment_frees_the_frame_it_replaces) {
  auto t = keep(tracked());
  t = keep(tracked());
  EXPECT_EQ(live_frames(), 1u);
  EXPECT_EQ(tracked::alive(), 1);
}

TEST(task, self_move_keeps_the_task) {
  auto t = give(11);
  auto& same = t;
  t = std::move(same);
  ASSERT_TRUE(t.valid());
  EXPECT_EQ(run(std::move(t)), 11);
}

TEST(task, can_be_stored_and_awaited_in_any_order) {
  auto main = []() -> task<std::string> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 4; ++i) tasks.push_back(give(i));
    std::string order;
    for (std::size_t i = tasks.size(); i-- > 0;) {
      const int value = co_await tasks[i];
      order += std::to_string(value);
    }
    co_return order;
  };
  EXPECT_EQ(run(main()), "3210");
}

TEST(task, locals_die_in_reverse_order_when_the_body_ends) {
  std::string order;
  class noisy {
   public:
    noisy(std::string& order, char name) : order_(&order), name_(name) {}
    noisy(const noisy&) = delete;
    noisy& operator=(const noisy&) = delete;
    ~noisy() { *order_ += name_; }

   private:
    std::string* order_;
    char name_;
  };
  auto main = [&]() -> task<> {
    const noisy a(order, 'a');
    const noisy b(order, 'b');
    co_await give(1);
    order += '.';
  };
  run(main());
  EXPECT_EQ(order, ".ba");
}

TEST(task, awaits_any_awaitable_inside) {
  auto main = []() -> task<int> {
    ready_int op(5);
    const int value = co_await op;
    co_return value;
  };
  EXPECT_EQ(run(main()), 5);
}

}  // namespace
}  // namespace harrier::test
