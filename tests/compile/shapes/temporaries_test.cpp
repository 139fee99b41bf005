// SPDX-License-Identifier: Apache-2.0
// Temporaries and co_await. g++ 12.2 destroys some temporaries of a full expression that contains
// co_await twice, and refuses others; each test is the safe form of one such shape. A tracked
// member counts births and deaths, so that a second death is seen without a sanitizer.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace harrier::test {
namespace {

// An owner whose second destruction is an error of its own: it makes tracked::alive() negative.
class owner {
 public:
  explicit owner(int value) : value_(std::make_unique<int>(value)) {}
  int value() const { return *value_; }

 private:
  std::unique_ptr<int> value_;
  tracked life_;
};

class options {
 public:
  options() {}  // user provided: not an aggregate
  options& with(std::string text) {
    name = std::move(text);
    return *this;
  }
  std::string name = "a name that is too long for the small string buffer";
  int k = 1;
  tracked life;
};

task<std::size_t> length(options o) {
  co_await yield();
  co_return o.name.size();
}

task<int> value_of(owner o) {
  co_await yield();
  co_return o.value();
}

template <class T>
task<T> pass(T value) {
  co_await yield();
  co_return value;
}

TEST(shapes_temporaries, named_closure_with_an_owning_capture) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<int> {
    auto shared = std::make_shared<int>(5);
    auto f = [shared, life = tracked()] { return *shared; };
    auto op = offload(std::move(f));
    const int value = co_await op;
    EXPECT_EQ(shared.use_count(), 2);  // ours and the operation's
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 5);
}

TEST(shapes_temporaries, closure_made_in_the_statement_that_makes_the_operation) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<int> {
    auto shared = std::make_shared<int>(6);
    auto op = offload([shared, life = tracked()] { return *shared; });
    const int value = co_await op;
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 6);
}

TEST(shapes_temporaries, named_std_function_with_an_owning_capture) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<std::size_t> {
    const std::string text(100, 'x');
    std::function<std::size_t()> f = [text, life = tracked()] { return text.size(); };
    auto op = offload_blocking(std::move(f));
    const std::size_t size = co_await op;
    co_return size;
  };
  EXPECT_EQ(rt.run(main()), 100u);
}

TEST(shapes_temporaries, inline_closure_with_reference_captures) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<int> {
    int seen = 0;
    auto op = offload([&seen] { seen = 7; });
    co_await op;
    co_return seen;
  };
  EXPECT_EQ(rt.run(main()), 7);
}

// Captures of trivially destructible values are safe inline, in one expression.
TEST(shapes_temporaries, inline_closure_with_trivial_captures) {
  runtime rt(std::size_t{1});
  auto main = []() -> task<int> {
    int a = 3;
    const int value = co_await offload([a] { return a + 1; });
    co_return value;
  };
  EXPECT_EQ(rt.run(main()), 4);
}

TEST(shapes_temporaries, options_with_a_user_provided_constructor_in_one_expression) {
  auto main = []() -> task<std::size_t> {
    const std::size_t size = co_await length(options().with(std::string(40, 'y')));
    co_return size;
  };
  EXPECT_EQ(run(main()), 40u);
}

TEST(shapes_temporaries, default_options_in_one_expression) {
  auto main = []() -> task<std::size_t> {
    const std::size_t size = co_await length(options());
    co_return size;
  };
  EXPECT_EQ(run(main()), options().name.size());
}

TEST(shapes_temporaries, owning_parameter_in_one_expression) {
  auto main = []() -> task<int> {
    const int value = co_await value_of(owner(9));
    co_return value;
  };
  EXPECT_EQ(run(main()), 9);
}

TEST(shapes_temporaries, owning_parameters_of_nested_calls) {
  auto main = []() -> task<int> {
    const int first = co_await value_of(owner(1));
    const int second = co_await value_of(owner(first + 1));
    co_return second;
  };
  EXPECT_EQ(run(main()), 2);
}

TEST(shapes_temporaries, aggregate_built_from_named_results) {
  struct pair {
    std::string a;
    owner b;
  };
  auto main = []() -> task<std::size_t> {
    std::string a = co_await pass(std::string(50, 'a'));
    const int b = co_await pass(3);
    const pair p{std::move(a), owner(b)};
    co_return p.a.size() + static_cast<std::size_t>(p.b.value());
  };
  EXPECT_EQ(run(main()), 53u);
}

TEST(shapes_temporaries, aggregate_returned_from_a_named_local) {
  struct pair {
    std::string a;
    std::string b;
    tracked life;
  };
  auto make = []() -> task<pair> {
    std::string a = co_await pass(std::string(50, 'a'));
    std::string b = co_await pass(std::string(60, 'b'));
    pair result{std::move(a), std::move(b), tracked()};
    co_return result;
  };
  const pair p = run(make());
  EXPECT_EQ(p.a.size() + p.b.size(), 110u);
  EXPECT_EQ(tracked::alive(), 1);
}

TEST(shapes_temporaries, heap_aggregate_from_named_results) {
  struct pair {
    std::string a;
    tracked life;
  };
  auto main = []() -> task<std::size_t> {
    std::string a = co_await pass(std::string(50, 'a'));
    const auto p = std::make_unique<pair>(pair{std::move(a), tracked()});
    co_return p->a.size();
  };
  EXPECT_EQ(run(main()), 50u);
}

TEST(shapes_temporaries, if_else_instead_of_the_conditional_operator) {
  auto main = [](bool first) -> task<std::string> {
    std::string result;
    if (first) {
      result = co_await pass(std::string(50, 'a'));
    } else {
      result = co_await pass(std::string(60, 'b'));
    }
    co_return result;
  };
  EXPECT_EQ(run(main(true)).size(), 50u);
  EXPECT_EQ(run(main(false)).size(), 60u);
}

TEST(shapes_temporaries, throw_in_an_if_instead_of_the_conditional_operator) {
  auto main = [](bool fail) -> task<std::string> {
    if (fail) throw boom();
    std::string result = co_await pass(std::string(60, 'b'));
    co_return result;
  };
  EXPECT_EQ(run(main(false)).size(), 60u);
  EXPECT_THROW((void)run(main(true)), boom);
}

TEST(shapes_temporaries, container_built_before_it_is_passed) {
  auto sum = [](std::vector<int> values) -> task<int> {
    co_await yield();
    int total = 0;
    for (const int value : values) total += value;
    co_return total;
  };
  auto main = [&]() -> task<int> {
    const int a = co_await pass(1);
    const int b = co_await pass(2);
    std::vector<int> values{a, b};
    auto child = sum(std::move(values));
    const int total = co_await child;
    co_return total;
  };
  EXPECT_EQ(run(main()), 3);
}

TEST(shapes_temporaries, structured_binding_of_a_named_result) {
  auto main = []() -> task<std::size_t> {
    auto result = co_await pass(std::pair(std::string(50, 'a'), std::string(60, 'b')));
    auto& [a, b] = result;
    co_return a.size() + b.size();
  };
  EXPECT_EQ(run(main()), 110u);
}

TEST(shapes_temporaries, exception_while_owning_temporaries_live) {
  auto fail = [](owner o) -> task<int> {
    co_await yield();
    if (o.value() > 0) throw boom();
    co_return 0;
  };
  auto main = [&]() -> task<> {
    auto child = fail(owner(1));
    (void)co_await child;
  };
  EXPECT_THROW(run(main()), boom);
}

TEST(shapes_temporaries, task_in_a_batch_factory_with_owning_captures) {
  runtime rt(std::size_t{2});
  {
    auto shared = std::make_shared<int>(2);
    auto factory = [shared, life = tracked()](std::uint64_t i) -> task<std::uint64_t> {
      co_await yield();
      co_return i* static_cast<std::uint64_t>(*shared);
    };
    auto b = rt.dispatch(100, std::move(factory));
    const auto results = b.get();
    EXPECT_EQ(results[99], 198u);
  }
}

}  // namespace
}  // namespace harrier::test
