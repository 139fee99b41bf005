// SPDX-License-Identifier: Apache-2.0
// Who runs where, on machines that are made up: pinning, and the order of victims.
#include <harrier/detail/placement.hpp>

#include <harrier/detail/victim_order.hpp>
#include <harrier/runtime.hpp>

#include "support.hpp"

#include <sched.h>

#include <algorithm>
#include <latch>
#include <set>
#include <system_error>

namespace harrier::test {
namespace {

using detail::placement;
using detail::victim_order;

using numbers = std::vector<int>;

// Two nodes of four cores with two hardware threads each, numbered as Linux does: 0 to 7 are the
// first threads of cores 0 to 7, 8 to 15 the second ones. Two cores share an L2.
std::vector<processor> two_nodes() {
  std::vector<processor> all;
  for (int id = 0; id < 16; ++id) {
    processor each(id);
    each.core = id % 8;
    each.l2 = each.core / 2;
    each.l3 = each.core / 4;
    each.node = each.core / 4;
    all.push_back(each);
  }
  return all;
}

numbers mask_of_this_thread() {
  cpu_set_t set;
  CPU_ZERO(&set);
  EXPECT_EQ(sched_getaffinity(0, sizeof set, &set), 0);
  numbers mask;
  for (int id = 0; id < CPU_SETSIZE; ++id) {
    if (CPU_ISSET(static_cast<std::size_t>(id), &set)) mask.push_back(id);
  }
  return mask;
}

task<numbers> mask_there() {
  const numbers mask = mask_of_this_thread();
  co_return mask;
}

TEST(placement, cores_go_to_first_threads_before_second_ones_and_node_by_node) {
  const placement at(pinning::cores, two_nodes(), 18);
  for (int worker = 0; worker < 16; ++worker) {
    EXPECT_EQ(at.processors_of(static_cast<std::size_t>(worker)), numbers{worker});
  }
  EXPECT_EQ(at.processors_of(16), numbers{0}) << "more workers than processors share them";
  EXPECT_EQ(at.processors_of(17), numbers{1});
}

TEST(placement, cores_go_to_the_fastest_type_first) {
  std::vector<processor> machine;
  for (int id = 0; id < 4; ++id) {
    processor each(id);
    each.core_type = id < 2 ? 0 : 1;
    machine.push_back(each);
  }
  const placement at(pinning::cores, machine, 4);
  EXPECT_EQ(at.processors_of(0), numbers{2});
  EXPECT_EQ(at.processors_of(1), numbers{3});
  EXPECT_EQ(at.processors_of(2), numbers{0});
}

TEST(placement, nodes_are_shared_by_neighbours) {
  const placement at(pinning::numa_nodes, two_nodes(), 4);
  const numbers near{0, 1, 2, 3, 8, 9, 10, 11};
  const numbers far{4, 5, 6, 7, 12, 13, 14, 15};
  EXPECT_EQ(at.processors_of(0), near);
  EXPECT_EQ(at.processors_of(1), near);
  EXPECT_EQ(at.processors_of(2), far);
  EXPECT_EQ(at.processors_of(3), far);
}

TEST(placement, nodes_get_workers_in_proportion_to_their_processors) {
  std::vector<processor> machine;
  for (int id = 0; id < 4; ++id) {
    processor each(id);
    each.node = id == 3 ? 1 : 0;  // the mask leaves one processor of the second node
    machine.push_back(each);
  }
  const placement at(pinning::numa_nodes, machine, 8);
  for (std::size_t worker = 0; worker < 6; ++worker) {
    EXPECT_EQ(at.processors_of(worker), (numbers{0, 1, 2}));
  }
  EXPECT_EQ(at.processors_of(6), numbers{3});
  EXPECT_EQ(at.processors_of(7), numbers{3});
}

TEST(placement, a_machine_of_one_node_pins_nobody_to_less_than_the_mask) {
  std::vector<processor> machine{processor(1), processor(5)};
  const placement at(pinning::numa_nodes, machine, 3);
  for (std::size_t worker = 0; worker < 3; ++worker) {
    EXPECT_EQ(at.processors_of(worker), (numbers{1, 5}));
  }
}

TEST(placement, an_empty_machine_is_one_processor) {
  const placement at(pinning::cores, {}, 2);
  EXPECT_EQ(at.processors_of(1), numbers{0});
}

TEST(placement, distances_are_core_l2_l3_node_and_elsewhere) {
  const placement at(pinning::cores, two_nodes(), 16);
  const std::vector<unsigned> distances = at.distances_from(0);
  EXPECT_EQ(distances[8], 0u) << "the other thread of the core";
  EXPECT_EQ(distances[1], 1u) << "the same L2";
  EXPECT_EQ(distances[2], 2u) << "the same L3";
  EXPECT_EQ(distances[4], 4u) << "another node";
  processor one(0);
  processor other(1);
  other.l3 = 1;
  EXPECT_EQ(detail::distance(one, other), 3u) << "the same node, another L3";
}

// In which order a thief goes through the others.
numbers tried_by(const victim_order& order, std::uint32_t random) {
  numbers tried;
  order.try_each([random] { return random; },
                 [&](std::size_t victim) {
                   tried.push_back(static_cast<int>(victim));
                   return false;
                 });
  return tried;
}

TEST(victim_order, without_distances_tries_every_other_once_from_a_random_start) {
  const victim_order order(1, 4);
  EXPECT_EQ(tried_by(order, 0), (numbers{0, 2, 3}));
  EXPECT_EQ(tried_by(order, 3), (numbers{3, 0, 2}));
}

TEST(victim_order, of_a_lone_worker_is_empty) {
  victim_order order(0, 1);
  EXPECT_TRUE(tried_by(order, 7).empty());
  order.sort_by({0});
  EXPECT_TRUE(tried_by(order, 7).empty());
}

TEST(victim_order, goes_from_near_to_far_and_starts_anywhere_within_a_distance) {
  const placement at(pinning::cores, two_nodes(), 16);
  victim_order order(0, 16);
  order.sort_by(at.distances_from(0));
  const std::vector<numbers> classes{{8}, {1, 9}, {2, 3, 10, 11}, {4, 5, 6, 7, 12, 13, 14, 15}};
  std::set<int> first_of_the_last;
  for (std::uint32_t random = 0; random < 16; ++random) {
    const numbers tried = tried_by(order, random);
    ASSERT_EQ(tried.size(), 15u);
    auto from = tried.begin();
    for (const numbers& each : classes) {
      const auto to = from + static_cast<std::ptrdiff_t>(each.size());
      EXPECT_TRUE(std::is_permutation(from, to, each.begin())) << "random " << random;
      from = to;
    }
    first_of_the_last.insert(tried[7]);
  }
  EXPECT_EQ(first_of_the_last.size(), 8u);
}

TEST(victim_order, stops_at_the_first_that_has_work) {
  victim_order order(0, 4);
  order.sort_by({0, 4, 1, 4});
  int tries = 0;
  EXPECT_TRUE(order.try_each([] { return 0u; },
                             [&](std::size_t victim) {
                               ++tries;
                               return victim == 2;
                             }));
  EXPECT_EQ(tries, 1);
}

TEST(pinning, is_off_by_default_and_asks_nothing_of_the_machine) {
  EXPECT_EQ(runtime_options().pinning, pinning::none);
  runtime_options options;
  options.workers = 2;
  options.processors = []() -> std::vector<processor> {
    ADD_FAILURE() << "nobody needs it";
    return {};
  };
  runtime rt(options);
  EXPECT_EQ(rt.spawn_on(1, mask_there()).get(), mask_of_this_thread());
}

TEST(pinning, the_machine_is_asked_once_and_not_before_the_first_work) {
  int asked = 0;
  runtime_options options;
  options.workers = 3;
  options.pinning = pinning::cores;
  options.provider = thread_provider::own_threads;  // the ones that are pinned
  options.processors = [&] {
    ++asked;
    return usable_processors();
  };
  runtime rt(options);
  EXPECT_EQ(asked, 0);
  for (std::size_t worker = 0; worker < 3; ++worker) rt.spawn_on(worker, give(1)).wait();
  EXPECT_EQ(asked, 1);
}

TEST(pinning, to_cores_ties_each_worker_to_one_processor_of_the_mask) {
  const numbers mine = mask_of_this_thread();
  runtime_options options;
  options.workers = mine.size() + 1;
  options.pinning = pinning::cores;
  options.provider = thread_provider::own_threads;  // the ones that are pinned
  runtime rt(options);
  std::set<int> used;
  for (std::size_t worker = 0; worker <= mine.size(); ++worker) {
    const numbers mask = rt.spawn_on(worker, mask_there()).get();
    ASSERT_EQ(mask.size(), 1u);
    EXPECT_TRUE(std::binary_search(mine.begin(), mine.end(), mask[0]));
    used.insert(mask[0]);
  }
  EXPECT_EQ(used.size(), mine.size());
  EXPECT_EQ(mask_of_this_thread(), mine) << "the caller's own tie is its own business";
}

TEST(pinning, respects_the_mask_of_the_thread_that_hands_in_the_first_work) {
  const numbers mine = mask_of_this_thread();
  on_another_thread([&] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(mine.back()), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    for (const pinning how : {pinning::cores, pinning::numa_nodes}) {
      runtime_options options;
      options.workers = 2;
      options.pinning = how;
      options.provider = thread_provider::own_threads;  // the ones that are pinned
      runtime rt(options);
      EXPECT_EQ(rt.spawn_on(0, mask_there()).get(), numbers{mine.back()});
      EXPECT_EQ(rt.spawn_on(1, mask_there()).get(), numbers{mine.back()});
    }
  });
}

TEST(pinning, that_fails_is_reported_and_the_worker_runs_unpinned) {
  error_log log;
  runtime_options options;
  options.workers = 2;
  options.pinning = pinning::cores;
  options.provider = thread_provider::own_threads;  // the ones that are pinned
  options.exception_handler = std::ref(log);
  options.processors = [] {
    std::vector<processor> machine = usable_processors();
    machine.resize(1);
    machine.emplace_back(CPU_SETSIZE - 1);  // no machine that runs this test has it
    return machine;
  };
  const numbers mine = mask_of_this_thread();
  {
    runtime rt(options);
    EXPECT_EQ(rt.spawn_on(0, mask_there()).get(), numbers{mine.front()});
    EXPECT_FALSE(rt.spawn_on(1, mask_there()).get().empty());
  }
  ASSERT_EQ(log.size(), 1u);
  EXPECT_NE(log.at(0).message.find("worker 1 could not be pinned"), std::string::npos);
  EXPECT_NE(log.at(0).message.find(std::to_string(CPU_SETSIZE - 1)), std::string::npos);
  EXPECT_TRUE(holds<std::system_error>(log.at(0).error));
}

// Threads inherit the tie of the thread that makes them: those of the library are let go again.
TEST(pinning, does_not_spread_to_threads_for_calls_that_are_offloaded) {
  const numbers mine = mask_of_this_thread();
  runtime_options options;
  options.workers = 1;
  options.pinning = pinning::cores;
  options.provider = thread_provider::own_threads;  // the ones that are pinned
  runtime rt(options);
  auto main = [&]() -> task<bool> {
    auto look = [] { return mask_of_this_thread(); };
    auto blocking = offload_blocking(look);
    const numbers pool = co_await blocking;
    auto computing = offload(look);
    const numbers arena = co_await computing;
    co_return pool == mine&& arena == mine&& mask_of_this_thread().size() == 1;
  };
  EXPECT_TRUE(rt.run(main()));
}

TEST(pinning, a_made_up_machine_that_throws_fails_the_first_call_and_no_other) {
  runtime_options options;
  options.workers = 1;
  options.pinning = pinning::numa_nodes;
  options.provider = thread_provider::own_threads;  // the ones that are pinned
  options.processors = [asked = 0]() mutable {
    if (asked++ == 0) throw boom();
    return usable_processors();
  };
  runtime rt(options);
  EXPECT_THROW((void)rt.spawn(give(1)), boom);
  EXPECT_EQ(rt.run(give(2)), 2);
}

TEST(usable_processors, are_those_of_the_mask) {
  numbers ids;
  for (const processor& each : usable_processors()) ids.push_back(each.id);
  EXPECT_EQ(ids, mask_of_this_thread());
}

}  // namespace
}  // namespace harrier::test
