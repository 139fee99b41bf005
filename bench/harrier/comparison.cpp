// SPDX-License-Identifier: Apache-2.0
#include "comparison.hpp"

#include <algorithm>

namespace harrier::cli {

namespace {

using seconds_f = std::chrono::duration<double>;

class measured_round {
 public:
  measured_round(seconds_f t, std::uint64_t l) : time(t), loops_created(l) {}

  seconds_f time;
  std::uint64_t loops_created;
};

measured_round run_round(const contender& who, std::uint64_t coroutines) {
  const auto start = std::chrono::steady_clock::now();
  const auto loops = who.run(coroutines);
  return measured_round(std::chrono::steady_clock::now() - start, loops);
}

// The best of a few, so that one interruption does not pass for the cost.
seconds_f quickest(const contender& who, std::uint64_t coroutines) {
  auto best = run_round(who, coroutines).time;
  for (int repeat = 0; repeat < 2; ++repeat) {
    best = std::min(best, run_round(who, coroutines).time);
  }
  return best;
}

// Tries growing counts until one takes long enough to tell; this also warms caches and memory.
std::uint64_t coroutines_that_fit(const contender& who, const comparison_plan& plan) {
  for (std::uint64_t count = 16;; count *= 4) {
    count = std::min(count, plan.most_coroutines);
    const auto time = quickest(who, count);
    if (count < plan.most_coroutines && time < plan.round_time / 4) continue;
    const auto fitting = static_cast<double>(count) * (plan.round_time / time);
    const auto limit = static_cast<double>(plan.most_coroutines);
    return static_cast<std::uint64_t>(std::clamp(fitting, 1.0, limit));
  }
}

contender_figures summary(const contender& who, std::uint64_t coroutines,
                          std::vector<measured_round> rounds) {
  const auto middle = rounds.begin() + static_cast<std::ptrdiff_t>(rounds.size() / 2);
  std::nth_element(rounds.begin(), middle, rounds.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  contender_figures figures;
  figures.name = who.name;
  figures.ns_per_coroutine = middle->time.count() * 1e9 / static_cast<double>(coroutines);
  figures.loops_created = middle->loops_created;
  figures.coroutines = coroutines;
  return figures;
}

}  // namespace

std::vector<contender_figures> measure_contenders(
    const std::vector<contender>& contenders, const comparison_plan& plan,
    const std::function<void(std::uint64_t done, std::uint64_t total)>& on_round) {
  const auto rounds = static_cast<std::size_t>(plan.rounds);
  const auto total = contenders.size() * (rounds + 1);
  std::uint64_t done = 0;
  std::vector<std::uint64_t> counts;
  for (const auto& who : contenders) {
    on_round(done++, total);
    counts.push_back(coroutines_that_fit(who, plan));
  }
  std::vector<std::vector<measured_round>> measured(contenders.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    for (std::size_t i = 0; i < contenders.size(); ++i) {
      on_round(done++, total);
      const auto at = (i + round) % contenders.size();
      measured[at].push_back(run_round(contenders[at], counts[at]));
    }
  }
  std::vector<contender_figures> figures;
  for (std::size_t i = 0; i < contenders.size(); ++i) {
    figures.push_back(summary(contenders[i], counts[i], std::move(measured[i])));
  }
  return figures;
}

}  // namespace harrier::cli
