// SPDX-License-Identifier: Apache-2.0
// yield(): everything that was ready on this loop runs first.
#include "support.hpp"

namespace harrier::test {
namespace {

TEST(yield, lets_everything_that_was_ready_run_first) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto main = [&]() -> task<> {
    this_loop().call_soon([&] { order += 'a'; });
    this_loop().call_soon([&] { order += 'b'; });
    co_await yield();
    order += 'm';
  };
  r.run(main());
  EXPECT_EQ(order, "abm");
}

TEST(yield, is_round_robin_among_yielders) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto yielder = [&](char name) -> task<> {
    for (int i = 0; i < 3; ++i) {
      order += name;
      co_await yield();
    }
  };
  auto main = [&]() -> task<> {
    auto a = spawn(yielder('a'));
    auto b = spawn(yielder('b'));
    auto c = spawn(yielder('c'));
    co_await a;
    co_await b;
    co_await c;
  };
  r.run(main());
  EXPECT_EQ(order, "abcabcabc");
}

TEST(yield, does_not_move_the_virtual_clock) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    for (int i = 0; i < 1000; ++i) co_await yield();
  };
  r.run(main());
  EXPECT_EQ(time.now(), time_point{});
}

TEST(yield, inside_awaited_children_yields_the_whole_chain) {
  virtual_clock time;
  runner r(on(time));
  std::string order;
  auto inner = [&]() -> task<> {
    order += '1';
    co_await yield();
    order += '2';
  };
  auto outer = [&]() -> task<> {
    auto child = inner();
    co_await child;
    order += '3';
  };
  auto other = [&]() -> task<> {
    order += 'x';
    co_return;
  };
  auto main = [&]() -> task<> {
    auto a = spawn(outer());
    auto b = spawn(other());
    co_await a;
    co_await b;
  };
  r.run(main());
  EXPECT_EQ(order, "1x23");
}

TEST(yield, a_million_yields_keep_the_stack_flat) {
  virtual_clock time;
  runner r(on(time));
  constexpr int count = scaled(1'000'000, 200'000);
  auto main = []() -> task<int> {
    int n = 0;
    for (int i = 0; i < count; ++i) {
      co_await yield();
      ++n;
    }
    co_return n;
  };
  EXPECT_EQ(r.run(main()), count);
}

}  // namespace
}  // namespace harrier::test
