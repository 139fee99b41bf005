// SPDX-License-Identifier: Apache-2.0
// when_all() of values of every kind, in both forms.
#include <harrier/context.hpp>
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <any>
#include <optional>
#include <stdexcept>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier::test {
namespace {

// Fails if unwrap() takes an optional value for a room, or kept_value<bool> is bool (vector<bool>).
TEST(when_all_values, of_every_kind_come_out_as_they_are) {
  runtime rt(std::size_t{2});
  int target = 4;
  auto any = []() -> task<std::any> { co_return std::any(5); };
  auto none = []() -> task<std::optional<int>> { co_return std::nullopt; };
  auto ref = [&]() -> task<int&> { co_return target; };
  auto yes = []() -> task<bool> { co_return true; };
  auto main = [&]() -> task<> {
    auto in_another = when_all(when_all(give(1)));
    const auto nested = co_await in_another;
    EXPECT_EQ(std::get<0>(std::get<0>(nested)), 1);
    auto of_any = when_all(any());
    const auto one = co_await of_any;
    EXPECT_EQ(std::any_cast<int>(std::get<0>(one)), 5);
    auto of_all = when_all(none(), ref(), yes(), give(2));
    const auto mixed = co_await of_all;
    EXPECT_FALSE(std::get<0>(mixed).has_value());
    EXPECT_EQ(&std::get<1>(mixed).get(), &target);
    EXPECT_TRUE(std::get<2>(mixed));
    EXPECT_EQ(std::get<3>(mixed), 2);
    std::vector<task<bool>> flags;
    flags.push_back(yes());
    auto of_flags = when_all(std::move(flags));
    const std::vector<bool> given = co_await of_flags;
    EXPECT_EQ(given, std::vector<bool>{true});
    std::vector<task<int&>> refs;
    refs.push_back(ref());
    auto of_refs = when_all(std::move(refs));
    const auto same = co_await of_refs;
    EXPECT_EQ(&same.front().get(), &target);
    std::vector<task<std::optional<int>>> options;
    options.push_back(none());
    auto of_options = when_all(std::move(options));
    const auto empty = co_await of_options;
    EXPECT_FALSE(empty.front().has_value());
  };
  rt.run(main());
}

// Fails without keep_contexts() in group_frames::release(), and in release_frames().
TEST(when_all_values, what_a_child_sets_in_its_context_is_its_own) {
  const context_var<int> number("number", 0);
  runtime rt(std::size_t{1});
  auto child = [&]() -> task<int> {
    const int found = number.get();
    number.set(5);
    co_return found;
  };
  auto main = [&]() -> task<> {
    number.set(1);
    auto of_two = when_all(child(), child());
    const auto both = co_await of_two;
    EXPECT_EQ(both, std::tuple(1, 1));
    EXPECT_EQ(number.get(), 1);
    std::vector<task<int>> tasks;
    tasks.push_back(child());
    tasks.push_back(child());
    auto of_range = when_all(std::move(tasks));
    const auto all = co_await of_range;
    EXPECT_EQ(all, (std::vector<int>{1, 1}));
    EXPECT_EQ(number.get(), 1);
  };
  rt.run(main());
}

// Fails if ended_otherwise() keeps no error of a child that ran in place, or if begin_slowly() runs a
// child after a failure: the last of the tasks fails first, and no other starts.
TEST(when_all_values, after_a_failure_no_further_child_starts) {
  runtime rt(std::size_t{1});
  int started = 0;
  auto counts = [&]() -> task<int> { co_return ++started; };
  auto fails = []() -> task<int> {
    throw boom();
    co_return 0;
  };
  auto main = [&]() -> task<> {
    std::vector<task<int>> tasks;
    for (int i = 0; i < 600; ++i) tasks.push_back(counts());
    tasks.push_back(fails());
    auto op = when_all(std::move(tasks));
    try {
      co_await op;
      ADD_FAILURE();
    } catch (const boom&) {
    }
  };
  rt.run(main());
  EXPECT_EQ(started, 0);
}

TEST(when_all_values, that_are_outcomes_are_values) {
  runtime rt(std::size_t{1});
  auto gives = []() -> task<outcome<int>> { co_return outcome<int>(1); };
  auto fails = []() -> task<outcome<int>> {
    throw boom();
    co_return outcome<int>(2);
  };
  auto main = [&]() -> task<> {
    auto of_two = when_all(gives(), gives());
    auto both = co_await of_two;
    EXPECT_EQ(std::get<1>(both).value(), 1);
    auto op = when_all(gives(), fails());
    try {
      co_await op;
      ADD_FAILURE();
    } catch (const boom&) {
    }
    auto settled = when_all_settled(gives(), fails());
    auto outcomes = co_await settled;
    EXPECT_EQ(std::get<0>(outcomes).value().value(), 1);
    EXPECT_FALSE(std::get<1>(outcomes).has_value());
  };
  rt.run(main());
}

struct fixed {
  fixed() = default;
  fixed(const fixed&) = default;
  fixed& operator=(const fixed&) = delete;
  int number;
};
static_assert(std::is_trivial_v<fixed>);

class numbered {
 public:
  static numbered with(int value) {
    numbered made;
    made.number_ = value;
    return made;
  }
  int number() const { return number_; }

 private:
  numbered() = default;
  int number_;
};
static_assert(std::is_trivial_v<numbered>);

TEST(when_all_values, need_neither_assignment_nor_a_public_constructor) {
  runtime rt(std::size_t{1});
  auto gives_fixed = []() -> task<fixed> {
    fixed made;
    made.number = 3;
    co_return made;
  };
  auto gives_numbered = []() -> task<numbered> { co_return numbered::with(4); };
  auto main = [&]() -> task<> {
    auto op = when_all(gives_fixed(), gives_numbered(), gives_numbered());
    const auto all = co_await op;
    EXPECT_EQ(std::get<0>(all).number, 3);
    EXPECT_EQ(std::get<1>(all).number(), 4);
    auto of_two = when_all(gives_numbered(), gives_numbered());
    const auto both = co_await of_two;
    EXPECT_EQ(std::get<1>(both).number(), 4);
  };
  rt.run(main());
}

/// Can be moved so many times.
struct weary {
  explicit weary(int moves) : left(moves) {}
  weary(weary&& other) : left(other.left - 1) {
    if (left < 0) throw std::range_error("weary");
  }
  int left;
};

TEST(when_all_values, that_throw_on_move_leave_the_context_alone) {
  const context_var<int> number("number", 0);
  runtime rt(std::size_t{1});
  int thrown = 0;
  auto child = [&](int moves) -> task<weary> {
    number.set(5);
    co_return weary(moves);
  };
  auto main = [&](int moves) -> task<> {
    number.set(1);
    try {
      auto op = when_all(child(moves), child(moves));
      co_await op;
    } catch (const std::range_error&) {
      ++thrown;
    }
    EXPECT_EQ(number.get(), 1) << moves << " moves";
  };
  for (int moves = 0; moves < 12; ++moves) rt.run(main(moves));
  EXPECT_GT(thrown, 2);
  EXPECT_LT(thrown, 12);
}

}  // namespace
}  // namespace harrier::test
