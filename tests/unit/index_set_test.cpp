// SPDX-License-Identifier: Apache-2.0
#include <harrier/index_set.hpp>

#include <harrier/detail/position_map.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace harrier::test {
namespace {

using detail::position_map;
using testing::ElementsAre;

TEST(index_set, ranges_that_touch_or_overlap_become_one) {
  index_set set;
  set.insert({5, 7});
  set.insert({9, 12});
  set.insert({7, 7});
  EXPECT_THAT(set.ranges(), ElementsAre(index_range(5, 7), index_range(9, 12)));
  set.insert({7, 8});
  EXPECT_THAT(set.ranges(), ElementsAre(index_range(5, 8), index_range(9, 12)));
  set.insert({8, 9});
  EXPECT_THAT(set.ranges(), ElementsAre(index_range(5, 12)));
  set.insert({0, 20});
  EXPECT_THAT(set.ranges(), ElementsAre(index_range(0, 20)));
  set.insert({3, 4});
  EXPECT_EQ(set.size(), 20u);
}

TEST(index_set, many_ranges_at_once_in_any_order) {
  index_set set;
  set.insert({10, 20});
  std::vector<index_range> added{{30, 31}, {0, 5}, {5, 10}, {18, 25}, {40, 40}};
  set.insert(added);
  EXPECT_THAT(set.ranges(), ElementsAre(index_range(0, 25), index_range(30, 31)));
  EXPECT_EQ(set.size(), 26u);
}

TEST(index_set, the_complement_is_the_rest) {
  index_set set;
  EXPECT_THAT(set.complement(3).ranges(), ElementsAre(index_range(0, 3)));
  EXPECT_TRUE(set.complement(0).empty());
  set.insert({1, 2});
  set.insert({4, 9});
  EXPECT_THAT(set.complement(6).ranges(), ElementsAre(index_range(0, 1), index_range(2, 4)));
  EXPECT_THAT(set.complement(9).ranges(), ElementsAre(index_range(0, 1), index_range(2, 4)));
  EXPECT_THAT(set.complement(10).ranges(),
              ElementsAre(index_range(0, 1), index_range(2, 4), index_range(9, 10)));
}

// Against a plain array of flags.
TEST(index_set, agrees_with_a_table_of_flags) {
  constexpr std::uint64_t total = 60;
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    index_set set;
    std::vector<bool> flags(total, false);
    for (int step = 0; step < 20; ++step) {
      std::vector<index_range> added;
      for (std::uint64_t k = random() % 3 + 1; k != 0; --k) {
        const std::uint64_t first = random() % total;
        added.emplace_back(first, first + random() % (total - first) % 6);
        for (std::uint64_t i = added.back().first; i < added.back().last; ++i) flags[i] = true;
      }
      added.size() == 1 ? set.insert(added.front()) : set.insert(added);
      std::uint64_t size = 0;
      for (std::uint64_t i = 0; i < total; ++i) {
        ASSERT_EQ(set.contains(i), flags[i]) << i;
        ASSERT_EQ(set.complement(total).contains(i), !flags[i]) << i;
        size += flags[i] ? 1 : 0;
      }
      ASSERT_EQ(set.size(), size);
      for (std::size_t r = 1; r < set.ranges().size(); ++r) {
        ASSERT_LT(set.ranges()[r - 1].last, set.ranges()[r].first);
      }
    }
  }
}

TEST(position_map, numbers_what_is_left_without_gaps) {
  index_set done;
  done.insert({0, 2});
  done.insert({5, 6});
  const position_map left(done.complement(9));
  std::vector<std::uint64_t> indices;
  for (std::uint64_t position = 0; position < 6; ++position) {
    indices.push_back(left.index_of(position));
  }
  EXPECT_THAT(indices, ElementsAre(2, 3, 4, 6, 7, 8));
  EXPECT_TRUE(position_map().empty());
}

}  // namespace
}  // namespace harrier::test
