// SPDX-License-Identifier: Apache-2.0
// timers without coroutines: deadlines with a callback each, on one thread that waits by asking for
// the time. What never is cancelled is kept in a priority queue; what is, in a multimap, from which
// it is erased by its place.
#include "config.hpp"

#include <functional>
#include <map>
#include <queue>
#include <vector>

namespace bench::timers {
namespace {

class timer {
 public:
  timer(clock::time_point at, std::function<void()> then)
      : deadline(at), callback(std::move(then)) {}
  bool operator<(const timer& other) const { return deadline > other.deadline; }
  clock::time_point deadline;
  std::function<void()> callback;
};

std::uint64_t fire_all(std::uint64_t n) {
  std::uint64_t slept = 0;
  std::priority_queue<timer> timers;
  for (std::uint64_t i = 0; i < n; ++i)
    timers.emplace(clock::now() + sleep_of(i), [&] { ++slept; });
  for (clock::time_point now = clock::now(); !timers.empty(); now = clock::now()) {
    for (; !timers.empty() && timers.top().deadline <= now; timers.pop()) timers.top().callback();
  }
  return slept;
}

const contender fired("timers", "serial", {1}, [](std::size_t) { return measure(fire_all); });

std::pair<duration, std::uint64_t> cancel_all(std::uint64_t n) {
  using deadlines = std::multimap<clock::time_point, std::function<void()>>;
  const clock::time_point later = clock::now() + std::chrono::hours(1);
  std::uint64_t fired_early = 0;
  deadlines timers;
  std::vector<deadlines::iterator> places;
  for (std::uint64_t i = 0; i < n; ++i) {
    places.push_back(timers.emplace(later + duration(i), [&] { ++fired_early; }));
  }
  const duration taken = timed([&] {
    for (const auto place : places) timers.erase(place);
  });
  return {taken, n - timers.size() - fired_early};
}

const contender cancelled("timers_cancelled", "serial", {1},
                          [](std::size_t) { return measure_cancelled(cancel_all); });

}  // namespace
}  // namespace bench::timers
