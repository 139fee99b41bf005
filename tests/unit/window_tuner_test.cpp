// SPDX-License-Identifier: Apache-2.0
// What a window_tuner decides, of a service that is a formula. No threads: the same each time.
#include <harrier/detail/window_tuner.hpp>

#include "support.hpp"

#include <algorithm>
#include <cmath>

namespace harrier::test {
namespace {

using detail::window_sample;
using detail::window_tuner;

/// One slot that keeps its window full on a service: `most` items in a second at best, `latency` at least.
class served {
 public:
  served(double most, duration latency) : most_(most), latency_(latency) {
    tuner.begin(1024, 64, time_point{});
    at_.now = time_point{};
  }

  void run_for(duration time, bool was_full = true) {
    constexpr duration step = 10ms;
    for (duration gone{0}; gone < time; gone += step) {
      in_flight_ = tuner.limit();
      const double seconds = std::chrono::duration<double>(latency_).count();
      ended_ += std::min(most_, static_cast<double>(in_flight_) / seconds) *
                std::chrono::duration<double>(step).count();
      at_.now += step;
      tuner.look(sample(), was_full);
      least = std::min(least, tuner.limit());
      greatest = std::max(greatest, tuner.limit());
      sum_ += static_cast<double>(tuner.limit());
      ++looks_;
    }
  }
  window_sample sample() {
    at_.ended = static_cast<std::uint64_t>(ended_);
    at_.in_flight = at_.most_in_flight = in_flight_;
    return at_;
  }
  void pass(duration time) { at_.now += time; }
  void become(double most, duration latency) {
    most_ = most;
    latency_ = latency;
  }
  void forget() {
    least = greatest = tuner.limit();
    sum_ = 0;
    looks_ = 0;
  }
  double average() const { return sum_ / looks_; }
  double ended() const { return ended_; }

  window_tuner tuner;
  std::int64_t least = 1024;
  std::int64_t greatest = 1024;

 private:
  double most_;
  duration latency_;
  double ended_ = 0;
  std::int64_t in_flight_ = 1024;
  window_sample at_;
  double sum_ = 0;
  double looks_ = 0;
};

TEST(window_tuner, grows_to_what_a_distant_service_can_do_and_no_further) {
  served s(100'000, 100ms);  // 10'000 in flight
  s.run_for(5s);
  EXPECT_GE(s.tuner.limit(), 8192);
  s.forget();
  s.run_for(60s);
  EXPECT_LE(s.greatest, 32'768);
  EXPECT_GE(s.average(), 8000);  // the next doubling brings less than a quarter
  EXPECT_LE(s.average(), 20'000);
}

TEST(window_tuner, shrinks_where_items_only_wait) {
  served s(5000, 20ms);  // 100 in flight
  s.run_for(10s);
  EXPECT_GE(s.tuner.limit(), 64);
  EXPECT_LE(s.tuner.limit(), 256);
  EXPECT_LE(s.greatest, 2048);
}

// What trials of a smaller window cost.
TEST(window_tuner, costs_a_fiftieth_of_the_throughput_at_most) {
  served s(1024 / 0.1, 100ms);  // 1024 are just enough
  s.run_for(60s);
  const double before = s.ended();
  s.run_for(600s);
  EXPECT_GE(s.ended() - before, 600 * 10'240 * 0.98);
}

TEST(window_tuner, follows_a_service_that_becomes_faster_or_slower) {
  served s(5000, 20ms);
  s.run_for(30s);
  EXPECT_LE(s.tuner.limit(), 256);
  s.become(100'000, 50ms);  // 5000 in flight
  s.run_for(20s);
  EXPECT_GE(s.tuner.limit(), 2048);
  s.become(1000, 50ms);  // 50 in flight
  s.run_for(300s);
  EXPECT_LE(s.tuner.limit(), 512);
}

TEST(window_tuner, leaves_a_window_alone_that_is_not_full) {
  served s(5000, 20ms);
  s.run_for(20s, false);
  EXPECT_EQ(s.tuner.limit(), 1024);
  EXPECT_LE(s.greatest, 2048);  // the first look does not know
}

TEST(window_tuner, takes_turns_in_silence_that_become_longer_and_each_doubles) {
  served s(5000, 20ms);
  const time_point start{};
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), start + 128ms);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), true), start + 1ms);
  s.pass(127ms);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), start + 128ms);
  s.pass(1ms);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), std::nullopt);
  EXPECT_EQ(s.tuner.limit(), 2048);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), start + 128ms + 256ms);
  s.pass(256ms);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), std::nullopt);
  EXPECT_EQ(s.tuner.limit(), 4096);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), start + 384ms + 256ms);
}

// An item's latency is no stall.
TEST(window_tuner, waits_for_twice_the_latency_that_it_knows) {
  served s(1e9, 500ms);
  s.run_for(10s, false);
  const std::int64_t before = s.tuner.limit();
  EXPECT_NE(s.tuner.grow_if_stalled(s.sample(), true), std::nullopt);
  s.pass(900ms);
  EXPECT_NE(s.tuner.grow_if_stalled(s.sample(), true), std::nullopt);
  s.pass(200ms);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), true), std::nullopt);
  EXPECT_EQ(s.tuner.limit(), before * 2);
}

TEST(window_tuner, is_halved_under_pressure_while_items_end_and_then_waits) {
  served s(5000, 20ms);
  s.run_for(1s);
  const std::int64_t before = s.tuner.limit();
  s.tuner.note_memory(s.sample(), 0.89);
  EXPECT_EQ(s.tuner.limit(), before);
  s.tuner.note_memory(s.sample(), 0.90);
  const std::int64_t once = s.tuner.limit();
  EXPECT_LE(once, before / 2);
  s.tuner.note_memory(s.sample(), 0.95);
  EXPECT_EQ(s.tuner.limit(), once);  // none has ended
  s.run_for(10ms);
  s.tuner.note_memory(s.sample(), 0.86);  // still: the bounds lie apart
  EXPECT_EQ(s.tuner.limit(), once / 2);
  for (int i = 0; i < 20; ++i) {
    s.run_for(10ms);
    s.tuner.note_memory(s.sample(), 0.95);
  }
  EXPECT_EQ(s.tuner.limit(), 16);
  const std::optional<time_point> then = s.tuner.grow_if_stalled(s.sample(), false);
  EXPECT_GE(then, s.sample().now + 128ms);
  s.pass(10s);
  EXPECT_EQ(s.tuner.grow_if_stalled(s.sample(), false), std::nullopt);
  EXPECT_EQ(s.tuner.limit(), 32);  // a few only
  s.tuner.note_memory(s.sample(), 0.5);
  s.run_for(5s);
  EXPECT_GE(s.tuner.limit(), 64);
}

TEST(window_tuner, is_cut_from_what_is_in_flight_however_large_it_was) {
  window_tuner tuner;
  tuner.begin(1024, 64, time_point{});
  window_sample at;
  at.now = time_point{} + 1s;
  at.ended = 10;
  at.in_flight = at.most_in_flight = 100;
  tuner.note_memory(at, 0.95);
  EXPECT_EQ(tuner.limit(), 50);
}

// Looks fall into the moments in which many end, and then few are in flight: no measure is the shorter for that.
TEST(window_tuner, measures_by_the_most_that_was_in_flight) {
  window_tuner tuner;
  tuner.begin(1024, 64, time_point{});
  window_sample at;
  const auto look = [&](duration when, std::uint64_t ended, std::int64_t in_flight) {
    at.now = time_point{} + when;
    at.ended = ended;
    at.in_flight = at.most_in_flight = in_flight;
    tuner.look(at, true);
  };
  look(50ms, 10, 1024);
  look(100ms, 1024, 50);  // settled
  look(150ms, 1500, 1024);
  look(200ms, 2000, 50);
  EXPECT_EQ(tuner.limit(), 1024);
  look(250ms, 2048, 50);
  look(350ms, 3072, 50);
  EXPECT_EQ(tuner.limit(), 2048);
}

}  // namespace
}  // namespace harrier::test
