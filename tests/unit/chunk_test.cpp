// SPDX-License-Identifier: Apache-2.0
// Chunks: written down, read back, cut, run by name and acknowledged.
#include <harrier/chunk.hpp>

#include <harrier/item_seed.hpp>
#include <harrier/procedure_registry.hpp>
#include <harrier/runtime.hpp>

#include "checkpoint_support.hpp"
#include "support.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <limits>
#include <random>

namespace harrier::test {
namespace {

using testing::ElementsAre;

TEST(chunk, is_one_line_of_text) {
  const chunk one("resize images", {10, 20}, 7, 3);
  EXPECT_EQ(one.encode(), "harrier-chunk/1 10 20 7 3 resize images");
  EXPECT_EQ(chunk::decode(one.encode()), one);
  const auto most = std::numeric_limits<std::uint64_t>::max();
  const chunk large("", {most, most}, most, std::numeric_limits<std::uint32_t>::max());
  EXPECT_EQ(chunk::decode(large.encode()), large);
}

TEST(chunk, anything_else_is_refused) {
  for (const char* text :
       {"", "harrier-chunk/1", "harrier-chunk/1 0 1 2 3", "harrier-chunk/2 0 1 2 3 x",
        "harrier-chunk/1 2 1 0 1 x", "harrier-chunk/1 -1 1 0 1 x", "harrier-chunk/1 00 1 0 1 x",
        "harrier-chunk/1 0 1 0 4294967296 x", "harrier-chunk/1 0 18446744073709551616 0 1 x",
        "harrier-chunk/1  0 1 0 1 x", "harrier-chunk/1 0x 1 0 1 x"}) {
    EXPECT_THROW(chunk::decode(text), std::invalid_argument) << text;
  }
}

// What is read is what would be written: no two texts mean the same chunk.
TEST(chunk, every_text_that_is_taken_is_its_own) {
  const std::string text = chunk("p", {10, 2000}, 99, 3).encode();
  std::mt19937 random(3);
  for (int round = 0; round < 5000; ++round) {
    std::string other = text;
    other[random() % other.size()] = static_cast<char>(random() % 96 + 32);
    try {
      EXPECT_EQ(chunk::decode(other).encode(), other);
    } catch (const std::invalid_argument&) {
      // refused is right, too
    }
  }
}

TEST(chunk, is_cut_into_parts) {
  const chunk whole("p", {3, 10}, 5, 2);
  EXPECT_THAT(whole.cut(3), ElementsAre(chunk("p", {3, 6}, 5, 2), chunk("p", {6, 9}, 5, 2),
                                        chunk("p", {9, 10}, 5, 2)));
  EXPECT_THAT(whole.cut(100), ElementsAre(whole));
  EXPECT_TRUE(chunk("p", {3, 3}).cut(1).empty());
  EXPECT_THROW(static_cast<void>(whole.cut(0)), std::invalid_argument);
  const auto end = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(chunk("p", {end - 3, end}).cut(end).size(), 1u);
  EXPECT_EQ(whole.next_attempt().attempt, 3u);
}

TEST(procedure_registry, runs_the_items_of_a_chunk_with_their_seeds) {
  runtime rt(std::size_t{2});
  procedure_registry procedures;
  std::vector<std::atomic<std::uint64_t>> seeds(100);
  procedures.add("note", [&](chunk_item item) -> task<> {
    seeds.at(item.index).store(item.seed + item.attempt);
    co_return;
  });
  const acknowledgement end = rt.run(procedures.execute(rt, chunk("note", {10, 90}, 7, 2)));
  EXPECT_TRUE(end.is_done());
  EXPECT_EQ(end.completed, 80u);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(seeds[i].load(), i >= 10 && i < 90 ? item_seed(7, i) + 2 : 0) << i;
  }
}

TEST(procedure_registry, a_chunk_that_fails_says_so) {
  runtime rt(std::size_t{2});
  procedure_registry procedures;
  procedures.add("fail once", [](chunk_item item) -> task<> {
    if (item.index == 15 && item.attempt == 1) throw boom("no luck");
    co_await yield();
  });
  const chunk first("fail once", {10, 20});
  const acknowledgement end = rt.run(procedures.execute(rt, first));
  EXPECT_FALSE(end.is_done());
  EXPECT_EQ(end.failed, 1u);
  EXPECT_EQ(end.completed, 9u);
  EXPECT_EQ(end.error, "item 15: no luck");
  EXPECT_EQ(end.of, first);
  EXPECT_TRUE(rt.run(procedures.execute(rt, end.of.next_attempt())).is_done());
}

TEST(procedure_registry, unknown_and_double_names) {
  runtime rt(std::size_t{1});
  procedure_registry procedures;
  procedures.add("p", [](chunk_item) -> task<> { co_return; });
  EXPECT_TRUE(procedures.contains("p"));
  EXPECT_FALSE(procedures.contains("q"));
  EXPECT_THROW(procedures.add("p", [](chunk_item) -> task<> { co_return; }), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(procedures.dispatch(rt, chunk("q", {0, 1}))), unknown_procedure);
  EXPECT_THROW(rt.run(procedures.execute(rt, chunk("q", {0, 1}))), unknown_procedure);
}

// Chunks as a queue would carry them: text, each acknowledged into a checkpoint of the whole.
TEST(procedure_registry, acknowledged_chunks_fill_a_checkpoint) {
  const scratch_directory scratch;
  runtime rt(std::size_t{2});
  procedure_registry procedures;
  tally ran;
  procedures.add("count", [&](chunk_item) -> task<> {
    ran.add();
    co_return;
  });
  checkpoint kept(scratch / "c", batch_identity("count", 1000), by_hand());
  for (const chunk& part : chunk("count", {0, 1000}).cut(64)) {
    const acknowledgement end = rt.run(procedures.execute(rt, chunk::decode(part.encode())));
    if (end.is_done()) kept.finish(end.of.items);
  }
  EXPECT_EQ(ran.value(), 1000);
  EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(0, 1000)));
}

}  // namespace
}  // namespace harrier::test
