// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/search_patience.hpp>

#include <gtest/gtest.h>

#include <cstdint>

namespace harrier::detail {
namespace {

/// Searches where work comes after `looks` looks, or never.
class workplace {
 public:
  static constexpr std::uint32_t never = 1000;

  /// How often it looked.
  std::uint32_t search(std::uint32_t work_comes_after) {
    const std::uint32_t looks = patience_.begin();
    if (work_comes_after < looks) {
      patience_.found_at(work_comes_after);
      return work_comes_after + 1;
    }
    patience_.found_nothing();
    return looks;
  }
  /// The same many times: the looks of all together.
  std::uint32_t search(std::uint32_t work_comes_after, std::uint32_t times) {
    std::uint32_t looks = 0;
    for (; times != 0; --times) looks += search(work_comes_after);
    return looks;
  }

 private:
  search_patience patience_;
};

TEST(search_patience, is_full_at_first) {
  workplace at;
  EXPECT_EQ(at.search(workplace::never), search_patience::most);
}

TEST(search_patience, goes_down_to_one_look_where_waiting_never_pays) {
  workplace at;
  at.search(workplace::never, 64);
  // All but the trials.
  EXPECT_EQ(at.search(workplace::never, 16), 15 + search_patience::most);
}

TEST(search_patience, comes_back_when_trials_find_something) {
  workplace at;
  at.search(workplace::never, 64);
  EXPECT_EQ(at.search(5, 15), 15u);  // one look each, which is too few
  EXPECT_EQ(at.search(5), 6u);  // the trial
  std::uint32_t paid = 0;
  for (int i = 0; i < 64; ++i) paid += at.search(3) == 4 ? 1 : 0;
  EXPECT_GT(paid, 60u);
  EXPECT_GT(at.search(workplace::never), search_patience::most * 9 / 10);
}

TEST(search_patience, learns_nothing_from_what_is_there_at_once) {
  workplace at;
  at.search(workplace::never, 64);
  at.search(0, 63);
  EXPECT_EQ(at.search(0), 1u);
  EXPECT_EQ(at.search(workplace::never, 15), 15u);
}

TEST(search_patience, never_leaves_its_bounds) {
  workplace at;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    const std::uint32_t looks = at.search(i * 2654435761u >> 24);
    EXPECT_GE(looks, 1u);
    EXPECT_LE(looks, search_patience::most);
  }
}

}  // namespace
}  // namespace harrier::detail
