// SPDX-License-Identifier: Apache-2.0
// The counts of a frame cache: frames of every size, records apart, blocks freed elsewhere.
#include <harrier/detail/frame_cache.hpp>

#include "unit/support.hpp"

#include <algorithm>
#include <set>
#include <vector>

namespace harrier::test {
namespace {

using detail::block_depot;
using detail::frame_cache;

TEST(frame_cache, counts_small_and_large_frames_alike) {
  frame_cache cache;
  void* small = cache.allocate_frame(40);
  void* large = cache.allocate_frame(5000);
  EXPECT_EQ(cache.frames_live(), 2);
  cache.free_frame(large, 5000);
  EXPECT_EQ(cache.frames_live(), 1);
  cache.free_frame(small, 40);
  EXPECT_EQ(cache.frames_live(), 0);
  EXPECT_EQ(cache.frames_peak(), 2);
}

TEST(frame_cache, counts_no_records) {
  frame_cache cache;
  void* record = cache.allocate(detail::record_bytes);
  EXPECT_EQ(cache.frames_live(), 0);
  EXPECT_EQ(cache.frames_peak(), 0);
  cache.free(record, detail::record_bytes);
}

TEST(frame_cache, peak_stays_when_frames_are_used_again) {
  frame_cache cache;
  for (int round = 0; round < 100; ++round) {
    void* first = cache.allocate_frame(64);
    void* second = cache.allocate_frame(64);
    cache.free_frame(first, 64);
    cache.free_frame(second, 64);
  }
  // A sanitizer's build keeps nothing, and takes each frame from the allocator.
  EXPECT_EQ(cache.frames_peak(), 2);
}

TEST(frame_cache, frame_freed_elsewhere_counts_there) {
  frame_cache here;
  frame_cache there;
  void* frame = here.allocate_frame(64);
  there.free_frame(frame, 64);
  EXPECT_EQ(here.frames_live(), 1);
  EXPECT_EQ(there.frames_live(), -1);
}

TEST(frame_cache, burst_beyond_the_limit_keeps_the_count) {
  frame_cache cache(5);  // 16 KiB of each class: 256 frames
  std::vector<void*> frames;
  for (int i = 0; i < 1000; ++i) frames.push_back(cache.allocate_frame(64));
  EXPECT_EQ(cache.frames_live(), 1000);
  for (void* frame : frames) cache.free_frame(frame, 64);
  EXPECT_EQ(cache.frames_live(), 0);
  cache.trim();
  EXPECT_EQ(cache.frames_live(), 0);
  EXPECT_EQ(cache.frames_peak(), 1000);
}

// Made on one thread and freed on another, again and again: the same memory goes round.
TEST(frame_cache, frames_freed_elsewhere_come_back) {
  constexpr int burst = 20'000;  // more than a cache keeps
  frame_cache maker;
  frame_cache taker;
  std::set<void*> known;
  for (int round = 0; round < 3; ++round) {
    std::vector<void*> frames;
    for (int i = 0; i < burst; ++i) frames.push_back(maker.allocate_frame(64));
    EXPECT_EQ(maker.frames_live() + taker.frames_live(), burst);
    if (round == 0) known.insert(frames.begin(), frames.end());
    if (round == 1 && frame_cache::class_bytes != 0) {
      const auto again =
          std::ranges::count_if(frames, [&](void* frame) { return known.contains(frame); });
      EXPECT_GE(again, burst / 2);  // the other half of them the taker may keep
    }
    for (void* frame : frames) taker.free_frame(frame, 64);
    EXPECT_EQ(maker.frames_live() + taker.frames_live(), 0);
  }
  frame_cache::trim_depots();
}

TEST(block_depot, gives_back_what_it_was_given) {
  block_depot depot;
  block_depot::pack some;
  some.fill(&some);
  block_depot::pack others;
  others.fill(&others);
  EXPECT_TRUE(depot.give(some, 64));
  EXPECT_TRUE(depot.give(others, 64));
  block_depot::pack taken;
  EXPECT_TRUE(depot.take(taken, 64));
  EXPECT_EQ(taken, others);
  EXPECT_TRUE(depot.take(taken, 64));
  EXPECT_EQ(taken, some);
  EXPECT_FALSE(depot.take(taken, 64));
}

TEST(block_depot, refuses_more_than_its_bound) {
  frame_cache::trim_depots();  // the bound is one for all
  constexpr std::size_t half = block_depot::most_bytes / block_depot::pack_blocks / 2;
  block_depot one;
  block_depot other;
  const block_depot::pack blocks{};
  EXPECT_TRUE(one.give(blocks, half));
  EXPECT_TRUE(other.give(blocks, half));
  EXPECT_FALSE(one.give(blocks, 64));
  block_depot::pack taken;
  EXPECT_TRUE(other.take(taken, half));
  EXPECT_TRUE(one.give(blocks, 64));
  EXPECT_TRUE(one.take(taken, 64));
  EXPECT_TRUE(one.take(taken, half));
}

}  // namespace
}  // namespace harrier::test
