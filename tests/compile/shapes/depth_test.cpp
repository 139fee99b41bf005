// SPDX-License-Identifier: Apache-2.0
// Stacks stay flat without tail calls: at -O0 g++ turns no symmetric transfer into one.
#include <harrier/runner.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <stdexcept>
#include <utility>

namespace harrier::shapes {
namespace {

constexpr std::uint64_t depth = 200'000;

task<std::uint64_t> one(std::uint64_t value) { co_return value; }

task<std::uint64_t> in_a_row(std::uint64_t count) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    auto child = one(1);
    sum += co_await child;
  }
  co_return sum;
}

task<std::uint64_t> nested(std::uint64_t levels) {
  if (levels == 0) {
    co_return 0;
  }
  auto child = nested(levels - 1);
  const std::uint64_t below = co_await child;
  co_return below + 1;
}

task<std::uint64_t> nested_throw(std::uint64_t levels) {
  if (levels == 0) {
    throw std::runtime_error("bottom");
  }
  auto child = nested_throw(levels - 1);
  co_return co_await child;
}

TEST(depth, ready_awaits_in_a_row) { EXPECT_EQ(run(in_a_row(10 * depth)), 10 * depth); }

TEST(depth, nested_awaits) { EXPECT_EQ(run(nested(depth)), depth); }

TEST(depth, exception_from_the_bottom) {
  // Each level catches and stores, so the depth is bounded by time (a microsecond and more a
  // level).
  EXPECT_THROW(run(nested_throw(depth / 10)), std::runtime_error);
  EXPECT_EQ(live_frames(), 0u);
}

}  // namespace
}  // namespace harrier::shapes
