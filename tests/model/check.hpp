// SPDX-License-Identifier: Apache-2.0
// Runs a model as shipped, which has to pass, and then each mutant of it, which has to fail.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

// Last: its macros reach into what comes later.
#include "relacy_atomics.hpp"

namespace harrier::model {

inline constexpr rl::iteration_t random_schedules = 1'000'000;

/// How a model is run.
struct plan {
  unsigned context_bound = 2;  ///< of the exhaustive search
  bool has_barriers = false;  ///< runs with the exchanges that stand in for membarrier, too
  std::string header = {};  ///< the one whose orders are judged here; empty: all that are included
  std::vector<std::string> steps = {};  ///< of the protocol, each left out in a mutant of its own
  /// Parts of the lines of code whose order Relacy cannot judge; the model says why.
  std::vector<std::string> beyond_relacy = {};
};

/// The orders one step below `order`.
inline std::vector<memory_order> one_step_below(memory_order order, access kind) {
  switch (order) {
    case rl::mo_seq_cst:
      return {kind == access::store      ? rl::mo_release
              : kind == access::exchange ? rl::mo_acq_rel
                                         : rl::mo_acquire};
    case rl::mo_acq_rel:
      return {rl::mo_acquire, rl::mo_release};
    default:
      return {rl::mo_relaxed};
  }
}

inline std::string describe(const site& at) {
  const std::string file = at.file;
  return file.substr(file.rfind('/') + 1) + ":" + std::to_string(at.line) +
         (at.kind == access::failed_exchange ? " when it fails, " : " ") + rl::format(at.order);
}

/// The line of source that gives the order.
inline std::string source_line(const site& at) {
  std::ifstream file(at.file);
  std::string line;
  for (unsigned each = 0; each < at.line && std::getline(file, line);) {
    ++each;
  }
  return line;
}

/// `Smaller` is the model in which mutants are looked for: they die sooner there.
template <class Model, class Smaller>
class checker {
 public:
  explicit checker(plan how) : how_(std::move(how)) {}

  int run() {
    for (const bool membarrier : barriers()) {
      mutant.has_membarrier = membarrier;
      const std::string how = membarrier ? "as shipped" : "as shipped, no membarrier";
      expect(simulate(rl::sched_random, random_schedules), true, how + ", random");
      expect(simulate(rl::sched_bound, 0), true,
             how + ", context bound " + std::to_string(how_.context_bound));
    }
    RL_VERIFY(mutant.site_count != 0);  // 0: the header was included before the model's atomics
    const std::vector<site> sites(mutant.sites.begin(), mutant.sites.begin() + mutant.site_count);
    for (const site& each : sites) {
      if (std::string_view(each.file).find(how_.header) == std::string_view::npos) {
        continue;
      }
      if (is_beyond_relacy(each)) {
        std::printf("%-64s beyond Relacy\n", describe(each).c_str());
        continue;
      }
      for (const memory_order weaker : one_step_below(each.order, each.kind)) {
        mutant.weakened = &each;
        mutant.weakened_to = weaker;
        expect_dead(describe(each) + " -> " + rl::format(weaker));
      }
    }
    static constexpr site nowhere{};
    mutant.weakened = &nowhere;  // nothing is weakened, and no site is looked for
    for (const std::string& step : how_.steps) {
      mutant.left_out = step;
      expect_dead("without " + step);
    }
    std::printf("%zu mutants, %d surprises\n", mutants_, surprises_);
    return surprises_ == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
  }

 private:
  bool is_beyond_relacy(const site& at) const {
    const std::string line = source_line(at);
    for (const std::string& part : how_.beyond_relacy) {
      if (line.find(part) != std::string::npos) {
        return true;
      }
    }
    return false;
  }

  std::vector<bool> barriers() const {
    return how_.has_barriers ? std::vector<bool>{true, false} : std::vector<bool>{true};
  }

  bool simulate(rl::scheduler_type_e scheduler, rl::iteration_t schedules) {
    std::ostream silence(nullptr);
    const bool is_mutant = mutant.weakened != nullptr;
    rl::test_params parameters;
    parameters.search_type = scheduler;
    parameters.iteration_count = schedules;  // of the exhaustive search: all
    parameters.context_bound = how_.context_bound;
    parameters.output_stream = is_mutant ? &silence : &std::cout;  // a mutant is expected to fail
    parameters.progress_stream = &silence;
    const bool passed =
        is_mutant ? rl::simulate<Smaller>(parameters) : rl::simulate<Model>(parameters);
    schedules_ += parameters.stop_iteration;
    return passed;
  }

  void expect_dead(const std::string& name) {
    ++mutants_;
    const auto dies = [&](rl::scheduler_type_e scheduler, rl::iteration_t schedules) {
      for (const bool membarrier : barriers()) {
        mutant.has_membarrier = membarrier;
        if (!simulate(scheduler, schedules)) {
          return true;
        }
      }
      return false;
    };
    // A few schedules find most mutants; the exhaustive search finds those that need a rare one.
    expect(!dies(rl::sched_random, random_schedules / 20) && !dies(rl::sched_bound, 0) &&
               !dies(rl::sched_random, random_schedules),
           false, name);
  }

  void expect(bool passed, bool expected, const std::string& name) {
    const char* remark = passed == expected ? ""
                         : expected         ? "  <-- the model fails"
                                            : "  <-- the mutant survives";
    std::printf("%-64s %9ju schedules: %s%s\n", name.c_str(), std::uintmax_t{schedules_},
                passed ? "passed" : "failed", remark);
    std::fflush(stdout);
    surprises_ += passed != expected;
    schedules_ = 0;
  }

  plan how_;
  rl::iteration_t schedules_ = 0;
  std::size_t mutants_ = 0;
  int surprises_ = 0;
};

template <class Model, class Smaller = Model>
int check(plan how) {
  return checker<Model, Smaller>(std::move(how)).run();
}

}  // namespace harrier::model
