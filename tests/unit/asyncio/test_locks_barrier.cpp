// SPDX-License-Identifier: Apache-2.0
// test_locks: BarrierTests. A round ends for all its parties at once, and the next one may begin before
// they have run: there is no draining state, and no party of the next round waits for one.
//
// Left out: test_repr, test_draining_state and test_blocking_tasks_while_draining (no draining),
// test_context_manager's async with (wait() gives the place).
#include "both_families.hpp"

#include <algorithm>
#include <vector>

namespace harrier::test {
namespace {

/// Parties of one barrier, and what became of them.
template <class Family>
class party_of {
 public:
  explicit party_of(std::ptrdiff_t parties) : barrier(parties) {}

  task<> wait() {
    try {
      places.push_back(co_await barrier.wait());
    } catch (const broken_barrier&) {
      ++broken;
    }
  }
  void start(std::size_t count) {
    for (; count > 0; --count) tasks.push_back(spawn(wait()));
  }
  task<> join() {
    for (auto& each : tasks) co_await each;
    tasks.clear();
  }
  std::vector<std::size_t> sorted_places() {
    std::sort(places.begin(), places.end());
    return std::exchange(places, {});
  }

  typename Family::barrier barrier;
  std::vector<join_handle<void>> tasks;
  std::vector<std::size_t> places;
  int broken = 0;
};

using places = std::vector<std::size_t>;

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_parties) {
  EXPECT_THROW(typename Family::barrier(0), invalid_count);
  EXPECT_THROW(typename Family::barrier(-4), invalid_count);
  typename Family::barrier two(2);
  EXPECT_EQ(two.parties(), 2u);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_one_task) {
  typename Family::barrier one(1);
  EXPECT_EQ(co_await one.wait(), 0u);
  EXPECT_EQ(one.waiting(), 0u);
  EXPECT_FALSE(one.is_broken());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_one_task_twice) {
  typename Family::barrier one(1);
  EXPECT_EQ(co_await one.wait(), 0u);
  EXPECT_EQ(co_await one.wait(), 0u);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_task_by_task) {
  party_of<Family> p(3);
  for (std::size_t n = 1; n <= 2; ++n) {
    p.start(1);
    co_await yield();
    EXPECT_EQ(p.barrier.waiting(), n);
  }
  EXPECT_TRUE(p.places.empty());
  p.start(1);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
  EXPECT_EQ(p.barrier.waiting(), 0u);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_tasks_wait_twice) {
  party_of<Family> p(3);
  p.start(6);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 0, 1, 1, 2, 2}));
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_tasks_check_return_value) {
  party_of<Family> p(5);
  p.start(5);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2, 3, 4}));
  p.start(5);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2, 3, 4}));
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_filling_tasks_cancel_one) {
  party_of<Family> p(3);
  p.start(2);
  co_await yield();
  p.tasks[0].cancel();
  EXPECT_THROW(co_await p.tasks[0], cancelled);
  p.tasks.erase(p.tasks.begin());
  EXPECT_EQ(p.barrier.waiting(), 1u);
  EXPECT_FALSE(p.barrier.is_broken());
  p.start(2);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_reset_barrier) {
  typename Family::barrier one(1);
  one.reset();
  EXPECT_FALSE(one.is_broken());
  EXPECT_EQ(co_await one.wait(), 0u);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_reset_barrier_while_tasks_waiting) {
  party_of<Family> p(3);
  p.start(2);
  co_await yield();
  p.barrier.reset();
  co_await p.join();
  EXPECT_EQ(p.broken, 2);
  EXPECT_FALSE(p.barrier.is_broken());
  EXPECT_EQ(p.barrier.waiting(), 0u);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_reset_barrier_when_tasks_half_draining) {
  party_of<Family> p(3);
  p.start(5);  // a whole round, whose parties have not run yet, and two of the next
  co_await yield();
  p.barrier.reset();
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
  EXPECT_EQ(p.broken, 2);
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_reset_barrier_while_tasks_waiting_and_waiting_again) {
  party_of<Family> p(3);
  p.start(2);
  co_await yield();
  p.barrier.reset();
  p.start(3);
  co_await p.join();
  EXPECT_EQ(p.broken, 2);
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
  EXPECT_FALSE(p.barrier.is_broken());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_reset_barrier_while_tasks_draining) {
  party_of<Family> p(3);
  p.start(3);
  co_await yield();
  p.barrier.reset();  // the round is over: nobody is concerned
  co_await p.join();
  EXPECT_EQ(p.broken, 0);
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
  p.start(3);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_abort_barrier) {
  party_of<Family> p(3);
  p.start(2);
  co_await yield();
  p.barrier.abort();
  co_await p.join();
  EXPECT_EQ(p.broken, 2);
  EXPECT_TRUE(p.barrier.is_broken());
  EXPECT_EQ(p.barrier.waiting(), 0u);
  p.start(1);
  co_await p.join();
  EXPECT_EQ(p.broken, 3) << "until it is reset";
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_abort_barrier_when_exception) {
  party_of<Family> p(3);
  auto failing = [&]() -> task<> {
    try {
      co_await yield();
      throw boom();
    } catch (const boom&) {
      p.barrier.abort();
    }
  };
  p.start(2);
  auto t = spawn(failing());
  co_await t;
  co_await p.join();
  EXPECT_EQ(p.broken, 2);
  EXPECT_TRUE(p.barrier.is_broken());
}

ASYNCIO_CASE_OF_BOTH(test_locks, test_barrier_abort_barrier_when_exception_then_resetting) {
  party_of<Family> p(3);
  typename Family::barrier meeting(2);
  auto failing = [&]() -> task<> {
    p.barrier.abort();
    co_await meeting.wait();
  };
  p.start(2);
  co_await yield();
  auto t = spawn(failing());
  co_await meeting.wait();
  EXPECT_TRUE(p.barrier.is_broken());
  p.barrier.reset();
  EXPECT_FALSE(p.barrier.is_broken());
  co_await p.join();
  co_await t;
  EXPECT_EQ(p.broken, 2);
  p.start(3);
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2}));
}

ASYNCIO_CASE_OF_BOTH(test_locks,
                     test_barrier_abort_barrier_when_tasks_half_draining_half_blocking) {
  party_of<Family> p(3);
  p.start(5);
  co_await yield();
  p.barrier.abort();
  co_await p.join();
  EXPECT_EQ(p.sorted_places(), (places{0, 1, 2})) << "their round was over";
  EXPECT_EQ(p.broken, 2);
  EXPECT_TRUE(p.barrier.is_broken());
}

}  // namespace
}  // namespace harrier::test
