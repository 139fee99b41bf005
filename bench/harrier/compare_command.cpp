// SPDX-License-Identifier: Apache-2.0
#include "compare_command.hpp"

#include <harrier/runtime.hpp>

#include "asyncio_contenders.hpp"
#include "comparison.hpp"
#include "comparison_table.hpp"
#include "count_argument.hpp"
#include "exit_status.hpp"
#include "limits.hpp"
#include "output.hpp"
#include "progress_bar.hpp"
#include "report.hpp"
#include "units.hpp"

#include <nlohmann/json.hpp>

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace harrier::cli {

namespace {

class compare_options {
 public:
  compare_options() {}

  std::uint64_t coroutines = comparison_plan().most_coroutines;
  std::uint64_t workers = default_workers();
  bool asyncio = false;
  bool json = false;
};

std::vector<contender_figures> measure_harrier(const comparison_plan& plan, std::size_t workers) {
  progress_bar bar;
  return measure_contenders(
      all_contenders(workers), plan,
      [&bar](std::uint64_t done, std::uint64_t total) { bar.draw(done, total, "rounds"); });
}

void add_entries(nlohmann::ordered_json& entries, const std::string& prefix,
                 const std::vector<contender_figures>& rows) {
  for (const auto& row : rows) {
    entries.push_back({{"name", prefix + row.name},
                       {"ns_per_coroutine", row.ns_per_coroutine},
                       {"loops_created", row.loops_created},
                       {"coroutines", row.coroutines}});
  }
}

std::string json_report(const std::vector<contender_figures>& ours, const asyncio_figures& python) {
  nlohmann::ordered_json object;
  auto& entries = object["contenders"] = nlohmann::ordered_json::array();
  add_entries(entries, "", ours);
  add_entries(entries, "asyncio_", python.contenders);
  return object.dump() + "\n";
}

std::string text_report(const std::vector<contender_figures>& ours, const asyncio_figures& python,
                        const compare_options& options, const comparison_plan& plan) {
  const std::string heading = "harrier compare: what a coroutine costs, and the loops made for it";
  auto text = bold(heading) + "\n\n" + comparison_table("harrier", ours) + "\n";
  if (!python.contenders.empty()) {
    text += comparison_table("asyncio, Python " + python.python_version, python.contenders) + "\n";
  }
  text += "  Medians of " + std::to_string(plan.rounds) + " interleaved rounds; batch on " +
          std::to_string(options.workers) + (options.workers == 1 ? " worker" : " workers") +
          ".\n  The bars are logarithmic: three cells more mean ten times as long.\n";
  if (!python.contenders.empty()) {
    text += "  asyncio always creates a poller: its first two rows are one measurement.\n";
  }
  return text;
}

int run_compare(const compare_options& options) {
  comparison_plan plan;
  plan.most_coroutines = options.coroutines;
  const auto ours = measure_harrier(plan, options.workers);
  asyncio_figures python;
  if (options.asyncio) python = measure_asyncio(plan);

  output out;
  out.write(options.json ? json_report(ours, python) : text_report(ours, python, options, plan));
  out.flush();
  if (python.problem.empty()) return exit_success;
  std::fprintf(stderr, "harrier compare: no asyncio figures: %s\n", python.problem.c_str());
  return exit_failure;
}

constexpr const char* compare_footer =
    R"(The ways to run many coroutines from ordinary code, and what each costs:
  loop_per_coroutine               run() for each: a new event loop every time
  loop_per_coroutine_with_poller   the same with the epoll set and event descriptor
                                   that other libraries' loops always create
  wrapper_coroutine                one coroutine that awaits each; one loop
  runner                           one runner, its run() for each; one loop
  batch                            runtime::dispatch; a loop for each worker that had
                                   work; starting the threads is included

The coroutines only return a number. Each way runs as many as fit in a few
hundredths of a second, --coroutines at most, in 9 interleaved rounds; the figures
are medians, per coroutine and per round. Loops are counted, not assumed.

With --asyncio a python3 in PATH, 3.11 or later, runs the same in asyncio, with
asyncio.gather() in the place of the batch; names then start with asyncio_. It
always creates a poller, so its first two figures are one measurement.

JSON fields: contenders, an array of name, ns_per_coroutine, loops_created,
coroutines.

Examples:
  harrier compare
  harrier compare --asyncio --workers 2
  harrier compare --coroutines 100k --json

Exit status: 0 done, 1 failed, or --asyncio without a python3 that can (the rest is
still printed), 2 bad arguments.)";

}  // namespace

void add_compare_command(CLI::App& program, std::function<int()>& chosen) {
  auto* const command =
      program.add_subcommand("compare", "Measure what creating an event loop per coroutine costs");
  const auto options = std::make_shared<compare_options>();
  command->add_option("--coroutines,-n", options->coroutines, "At most so many per way and round")
      ->type_name("N")
      ->transform(count_between(1, most_coroutines))
      ->default_str("1M");
  command->add_option("--workers,-w", options->workers, "How many worker threads the batch has")
      ->type_name("N")
      ->transform(count_between(1, max_workers))
      ->capture_default_str();
  command->add_flag("--asyncio", options->asyncio, "Measure the same in Python, beside it");
  command->add_flag("--json", options->json, "Print one JSON object and nothing else");
  command->footer(compare_footer);
  command->callback([options, &chosen] { chosen = [options] { return run_compare(*options); }; });
}

}  // namespace harrier::cli
