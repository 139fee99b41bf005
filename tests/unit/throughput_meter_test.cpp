// SPDX-License-Identifier: Apache-2.0
// What is counted of ends that come in waves. No threads: all exact.
#include <harrier/detail/throughput_meter.hpp>

#include "support.hpp"

#include <cmath>

namespace harrier::test {
namespace {

using detail::throughput_meter;

/// The rate that is found of waves of `wave` ends each 100 ms, when the counts begin `phase` after one and are
/// taken before and after each.
double rate_of_waves(std::uint64_t wave, duration phase, std::uint64_t ends_in_each) {
  throughput_meter meter;
  const time_point start{};
  meter.begin(start + phase, 0, ends_in_each);
  std::uint64_t ended = 0;
  for (time_point now = start + 100ms;; now += 100ms) {
    if (meter.note(now, ended)) break;
    ended += wave;
    if (meter.note(now, ended)) break;
  }
  return meter.rate();
}

TEST(throughput_meter, is_right_of_steady_ends) {
  throughput_meter meter;
  const time_point start{};
  meter.begin(start, 70, 300);
  std::uint64_t ended = 70;
  time_point now = start;
  do {
    now += 1ms;
    ended += 5;
  } while (!meter.note(now, ended));
  EXPECT_NEAR(meter.rate(), 5000, 5);
  EXPECT_EQ(now, start + 120ms);
}

TEST(throughput_meter, is_nearly_right_of_waves_whatever_their_phase) {
  for (const duration phase : {0ms, 10ms, 35ms, 50ms, 80ms, 99ms}) {
    for (double waves = 3; waves < 5; waves += 0.1) {
      const auto ends = static_cast<std::uint64_t>(std::llround(1000 * waves));
      EXPECT_NEAR(rate_of_waves(1000, phase, ends), 10'000, 400) << waves << " " << phase.count();
    }
  }
  for (double waves = 1; waves < 3; waves += 0.1) {
    const auto ends = static_cast<std::uint64_t>(std::llround(1000 * waves));
    EXPECT_NEAR(rate_of_waves(1000, 0ms, ends), 10'000, 2000) << waves;
  }
  EXPECT_NEAR(rate_of_waves(1000, 0ms, 1000), 10'000, 1);
}

TEST(throughput_meter, takes_time_enough_for_two_intervals) {
  throughput_meter meter;
  const time_point start{};
  meter.begin(start, 0, 1);
  EXPECT_FALSE(meter.note(start + 19ms, 1000));
  EXPECT_FALSE(meter.note(start + 20ms, 1000));
  EXPECT_FALSE(meter.note(start + 39ms, 2000));
  EXPECT_TRUE(meter.note(start + 40ms, 2000));
}

TEST(throughput_meter, takes_counts_that_go_back_as_none) {
  throughput_meter meter;
  const time_point start{};
  meter.begin(start, 100, 10);
  EXPECT_FALSE(meter.note(start + 10ms, 90));
  EXPECT_FALSE(meter.note(start + 30ms, 110));
  EXPECT_FALSE(meter.note(start + 60ms, 110));
  EXPECT_TRUE(meter.note(start + 100ms, 150));
  EXPECT_NEAR(meter.rate(), 200, 0.001);  // 0 on average, and 10, 50 ms later
}

}  // namespace
}  // namespace harrier::test
