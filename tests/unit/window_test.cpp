// SPDX-License-Identifier: Apache-2.0
// The window of a batch: at most that many items started and unfinished. Set by hand it is a wall;
// automatic, it grows when the items wait for each other.
#include <harrier/runtime.hpp>

#include "support.hpp"

namespace harrier::test {
namespace {

class high_water {
 public:
  void enter() {
    const long here = now_.fetch_add(1) + 1;
    long seen = most_.load();
    while (here > seen && !most_.compare_exchange_weak(seen, here)) {
    }
  }
  void leave() { now_.fetch_sub(1); }
  long most() const { return most_.load(); }

 private:
  std::atomic<long> now_{0};
  std::atomic<long> most_{0};
};

TEST(window, set_by_hand_is_never_exceeded) {
  for (const std::uint64_t window : {1u, 2u, 7u, 100u}) {
    runtime rt(std::size_t{4});
    high_water water;
    auto body = [&](std::uint64_t i) -> task<> {
      water.enter();
      for (std::uint64_t k = 0; k < i % 4; ++k) co_await yield();
      water.leave();
    };
    auto b = rt.dispatch(5000, body, dispatch_options().with_window(window));
    b.get();
    EXPECT_LE(water.most(), static_cast<long>(window));
    EXPECT_GE(water.most(), 1);
  }
}

// With everybody at the gate, exactly the window has started, and stays so while nothing ends.
TEST(window, set_by_hand_holds_while_items_wait) {
  runtime rt(std::size_t{2});
  gate g;
  tally arrived;
  auto body = [&](std::uint64_t) -> task<> {
    arrived.add();
    co_await g.wait();
  };
  auto b = rt.dispatch(1000, body, dispatch_options().with_window(8));
  arrived.wait_for(8);
  for (int i = 0; i < 100; ++i) rt.run(give(i));  // the workers have every chance to start more
  EXPECT_EQ(arrived.value(), 8);
  while (b.counts().started < 8)
    std::this_thread::yield();  // a worker counts when it stops starting
  EXPECT_EQ(b.counts().started, 8u);
  EXPECT_FALSE(b.done());
  g.open();
  b.get();
  EXPECT_EQ(arrived.value(), 1000);
}

TEST(window, of_one_runs_the_items_one_after_the_other) {
  runtime rt(std::size_t{4});
  long plain = 0;  // not atomic: two items at once would be a race
  auto body = [&](std::uint64_t) -> task<> {
    ++plain;
    co_await yield();
    ++plain;
  };
  rt.dispatch(2000, body, dispatch_options().with_window(1)).get();
  EXPECT_EQ(plain, 4000);
}

TEST(window, larger_than_the_batch_is_no_limit) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(
      100, [](std::uint64_t i) { return give(static_cast<int>(i)); },
      dispatch_options().with_window(1'000'000));
  EXPECT_EQ(b.get().size(), 100u);
}

// The last item opens the gate at which all others wait: only a growing window gets there.
TEST(window, automatic_grows_when_items_wait_for_each_other) {
  for (const std::size_t workers : {std::size_t{1}, std::size_t{2}, std::size_t{4}}) {
    runtime rt(workers);
    constexpr std::uint64_t n = 20'000;
    gate g;
    auto body = [&](std::uint64_t i) -> task<std::uint64_t> {
      if (i + 1 == n) {
        g.open();
      } else {
        co_await g.wait();
      }
      co_return i;
    };
    auto b = rt.dispatch(n, body);
    b.wait();
    EXPECT_EQ(b.counts().completed, n);
  }
}

// In the other order of starting nobody can rely on: every item waits for all to have arrived.
TEST(window, automatic_lets_a_barrier_of_all_items_complete) {
  runtime rt(std::size_t{2});
  constexpr long n = 10'000;
  gate g;
  std::atomic<long> arrived{0};
  auto body = [&](std::uint64_t) -> task<> {
    if (arrived.fetch_add(1) + 1 == n) g.open();
    co_await g.wait();
  };
  rt.dispatch(n, body).get();
  EXPECT_EQ(arrived.load(), n);
}

// While it need not grow, it bounds the frames.
TEST(window, automatic_bounds_the_frames_of_items_that_suspend) {
  runtime rt(std::size_t{2});
  high_water water;
  auto body = [&](std::uint64_t) -> task<> {
    water.enter();
    co_await yield();
    water.leave();
  };
  rt.dispatch(scaled(200'000, 50'000), body).get();
  EXPECT_LE(water.most(), 2 * 1024);
}

}  // namespace
}  // namespace harrier::test
