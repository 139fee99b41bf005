// SPDX-License-Identifier: Apache-2.0
// generator: a coroutine as an input range.
#include "support.hpp"

#include <algorithm>
#include <memory>
#include <ranges>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

generator<int> count(int first, int last) {
  for (int n = first; n < last; ++n) {
    co_yield n;
  }
}

template <class T>
std::vector<T> all_of(generator<T> from) {
  std::vector<T> all;
  for (T& each : from) {
    all.push_back(each);
  }
  return all;
}

TEST(generator, gives_its_elements_in_order) {
  EXPECT_EQ(all_of(count(2, 5)), (std::vector<int>{2, 3, 4}));
  EXPECT_TRUE(all_of(count(5, 5)).empty());
}

TEST(generator, is_lazy) {
  static int made;
  made = 0;
  auto make = []() -> generator<int> {
    for (;;) {
      co_yield ++made;
    }
  };
  auto numbers = make();
  EXPECT_EQ(made, 0);
  auto at = numbers.begin();
  EXPECT_EQ(*at, 1);
  ++at;
  EXPECT_EQ(*at, 2);
  EXPECT_EQ(made, 2);
}

TEST(generator, is_an_input_range_and_a_view) {
  static_assert(std::ranges::input_range<generator<int>>);
  static_assert(std::ranges::view<generator<std::string>>);
  long sum = 0;
  for (const int n : count(0, 100) | std::views::filter([](int x) { return x % 2 == 0; }) |
                         std::views::transform([](int x) { return x * 10; })) {
    sum += n;
  }
  EXPECT_EQ(sum, 24500);
}

TEST(generator, elements_may_be_temporaries_and_constants) {
  auto make = []() -> generator<std::string> {
    const std::string constant = "constant";
    co_yield std::string("temporary");
    co_yield constant;
    co_yield constant + "!";
  };
  auto texts = make();
  std::vector<std::string> all;
  for (std::string& text : texts) {
    text += '.';
    all.push_back(text);
  }
  EXPECT_EQ(all, (std::vector<std::string>{"temporary.", "constant.", "constant!."}));
}

TEST(generator, references_are_the_bodys_own_objects) {
  auto make = [](std::vector<int>& of) -> generator<int&> {
    for (int& each : of) {
      co_yield each;
    }
  };
  std::vector<int> numbers{1, 2};
  for (int& each : make(numbers)) {
    each *= 10;
  }
  EXPECT_EQ(numbers, (std::vector<int>{10, 20}));
}

TEST(generator, an_error_comes_out_where_the_element_would) {
  auto make = []() -> generator<int> {
    co_yield 1;
    throw boom();
  };
  auto numbers = make();
  auto at = numbers.begin();
  EXPECT_THROW(++at, boom);
  EXPECT_TRUE(at == std::default_sentinel);
}

TEST(generator, dropped_midway_destroys_its_locals) {
  auto make = [](tracked /*owned*/) -> generator<int> {
    const tracked local;
    co_yield 1;
    co_yield 2;
  };
  {
    auto never = make(tracked());
    EXPECT_EQ(tracked::alive(), 1);
    auto started = make(tracked());
    started.begin();
    EXPECT_EQ(tracked::alive(), 3);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

TEST(generator, may_hand_over_to_others) {
  auto make = []() -> generator<int> {
    co_yield 0;
    co_yield elements_of(count(1, 3));
    co_yield elements_of(count(7, 7));
    co_yield elements_of(count(3, 4));
    co_yield 4;
  };
  EXPECT_EQ(all_of(make()), (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(generator, an_error_of_an_inner_one_reaches_the_outer_body) {
  auto inner = []() -> generator<int> {
    co_yield 1;
    throw boom();
  };
  auto make = [inner]() -> generator<int> {
    try {
      co_yield elements_of(inner());
    } catch (const boom&) {
    }
    co_yield 2;
    co_yield elements_of(inner());
  };
  auto body = make();
  auto numbers = std::move(body);
  std::vector<int> all;
  EXPECT_THROW(for (int n : numbers) { all.push_back(n); }, boom);
  EXPECT_EQ(all, (std::vector<int>{1, 2, 1}));
}

generator<int> nested(int depth) {
  co_yield depth;
  if (depth != 0) {
    co_yield elements_of(nested(depth - 1));
  }
}

TEST(generator, depth_costs_nothing_for_each_element) {
  const int depth = 2000;  // destroying the chain recurses, so no deeper
  int expected = depth;
  for (const int n : nested(depth)) {
    EXPECT_EQ(n, expected--);
  }
  EXPECT_EQ(expected, -1);
}

}  // namespace
}  // namespace harrier::test
