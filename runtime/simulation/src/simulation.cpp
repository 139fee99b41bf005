// SPDX-License-Identifier: Apache-2.0
#include <harrier/simulation.hpp>

#include <harrier/detail/asymmetric_barrier.hpp>
#include <harrier/detail/wait_watch.hpp>

#include "scheduler.hpp"

#include <signal.h>
#include <sys/single_threaded.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iterator>

namespace harrier {

namespace {

extern "C" char __executable_start;

/// Every run begins alike, whatever came before it in the process.
void forget_earlier_runs() noexcept {
  // A process with one thread counts the owners of a std::shared_ptr by plain additions, in which a
  // preemption may fall. Virtual threads are threads.
  __libc_single_threaded = 0;
  detail::prepare_heavy_barrier();
  detail::trim_unowned();
  detail::frame_cache::trim_depots();
  detail::wait_watch::forget_all();
}

std::string position(const void* where) {
  char text[32];
  std::snprintf(text, sizeof text, "0x%tx", static_cast<const char*>(where) - &__executable_start);
  return text;
}

volatile std::uint64_t seed_under_way = 0;

/// What aborts, a failed assertion for one, must not hide the seed.
class announced_seed {
 public:
  explicit announced_seed(std::uint64_t seed) noexcept {
    seed_under_way = seed;
    struct sigaction ours{};
    ours.sa_handler = [](int) {
      char text[64];
      const int length = std::snprintf(text, sizeof text, "replay with HARRIER_SEED=%llu\n",
                                       static_cast<unsigned long long>(seed_under_way));
      [[maybe_unused]] const auto written =
          ::write(STDERR_FILENO, text, static_cast<std::size_t>(length));
    };
    ours.sa_flags = static_cast<int>(SA_RESETHAND);
    ::sigaction(SIGABRT, &ours, &before_);
  }
  ~announced_seed() { ::sigaction(SIGABRT, &before_, nullptr); }
  announced_seed(const announced_seed&) = delete;
  announced_seed& operator=(const announced_seed&) = delete;

 private:
  struct sigaction before_{};
};

struct attempt {
  bool failed = false;
  std::string how;
  std::size_t preemptions = 0;
  std::string last_preemption;
};

attempt try_seed(std::uint64_t seed, std::size_t most_preemptions,
                 const std::function<void()>& body) {
  const announced_seed announced(seed);
  simulation sim(seed, most_preemptions);
  attempt result;
  try {
    sim.run(body);
  } catch (const std::exception& error) {
    result.failed = true;
    result.how = error.what();
  } catch (...) {  // the report says that it has no text
    result.failed = true;
    result.how = "an exception that is no std::exception";
  }
  result.preemptions = sim.preemptions();
  result.last_preemption = sim.last_preemption();
  return result;
}

/// The failure with the fewest preemptions that halving finds.
attempt shrink(std::uint64_t seed, attempt worst, const std::function<void()>& body) {
  std::size_t passes_with = 0;
  while (worst.preemptions > passes_with) {
    const std::size_t fewer = passes_with + (worst.preemptions - passes_with) / 2;
    attempt next = try_seed(seed, fewer, body);
    if (next.failed) {
      worst = std::move(next);
      worst.preemptions = std::min(worst.preemptions, fewer);
    } else {
      passes_with = fewer + 1;
    }
  }
  return worst;
}

void try_or_throw(std::uint64_t seed, const std::function<void()>& body) {
  attempt first = try_seed(seed, simulation::any_number, body);
  if (!first.failed) {
    return;
  }
  std::fprintf(stderr, "simulation: seed %llu fails; replay with HARRIER_SEED=%llu\n",
               static_cast<unsigned long long>(seed), static_cast<unsigned long long>(seed));
  const std::size_t preemptions = first.preemptions;
  const attempt least = shrink(seed, std::move(first), body);
  std::string text = "seed " + std::to_string(seed) + ": " + least.how + "\n(" +
                     std::to_string(least.preemptions) + " preemptions suffice of " +
                     std::to_string(preemptions);
  if (!least.last_preemption.empty()) {
    text += "; the last one at " + least.last_preemption + " of the program, for addr2line -Cfe";
  }
  throw simulation_failed(seed, text + ")");
}

}  // namespace

simulation_stuck::simulation_stuck(const std::string& report) : std::runtime_error(report) {}

simulation_failed::simulation_failed(std::uint64_t seed, const std::string& report)
    : std::runtime_error(report), seed_(seed) {}

simulation::simulation(std::uint64_t seed, std::size_t most_preemptions)
    : seed_(seed), most_preemptions_(most_preemptions) {}

simulation::~simulation() = default;

void simulation::run(std::function<void()> body) {
  forget_earlier_runs();
  const std::size_t frames = live_frames();
  simulated::scheduler threads(seed_, most_preemptions_);
  const simulated::outcome how = threads.run(std::move(body));
  trace_ = threads.trace();
  switches_ = threads.switches();
  preemptions_ = threads.preemptions().size();
  if (preemptions_ != 0) {
    last_preemption_ = position(threads.preemptions().back());
  }
  if (how != simulated::outcome::ended) {
    // They are nobody's any more, and no later count is to find them.
    detail::count_unowned_frames(static_cast<std::int64_t>(frames) -
                                 static_cast<std::int64_t>(live_frames()));
    throw simulation_stuck(threads.report(how));
  }
  if (threads.error()) {
    std::rethrow_exception(threads.error());
  }
}

void simulate(std::uint64_t seeds, const std::function<void()>& body) {
  if (const char* replay = std::getenv("HARRIER_SEED")) {
    try_or_throw(std::strtoull(replay, nullptr, 0), body);
    return;
  }
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    try_or_throw(seed, body);
  }
}

}  // namespace harrier
