// SPDX-License-Identifier: Apache-2.0
#include "batch_command.hpp"

#include "batch_work.hpp"
#include "count_argument.hpp"
#include "exit_status.hpp"
#include "output.hpp"
#include "peak_memory.hpp"
#include "progress_bar.hpp"
#include "report.hpp"
#include "units.hpp"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>

namespace harrier::cli {

namespace {

class batch_options {
 public:
  batch_options() {}

  std::uint64_t coroutines = 10'000'000;
  std::uint64_t workers = default_workers();
  work kind = work::noop;
  bool json = false;
};

class batch_figures {
 public:
  batch_figures() {}

  seconds_f time{};
  std::uint64_t checksum = 0;
  std::uint64_t peak_rss = 0;
  runtime_metrics metrics;
};

constexpr std::uint64_t most_coroutines = 1'000'000'000;

// The main thread has nothing else to do, so it draws. Ten looks a second cost the workers nothing.
void wait_with_progress(batch<std::uint64_t>& items, work kind) {
  progress_bar bar;
  if (!bar.is_visible()) return items.wait();
  const auto what = work_names()[static_cast<std::size_t>(kind)] + " coroutines";
  while (!items.wait_for(progress_bar::interval)) {
    bar.draw(items.counts().completed, items.size(), what);
  }
}

batch_figures measure(const batch_options& options) {
  batch_figures figures;
  runtime rt(options.workers);
  const auto start = std::chrono::steady_clock::now();
  auto items = dispatch_work(rt, options.kind, options.coroutines);
  wait_with_progress(items, options.kind);
  const auto results = items.get();
  figures.time = std::chrono::steady_clock::now() - start;
  figures.metrics = rt.metrics();
  figures.checksum = std::accumulate(results.begin(), results.end(), std::uint64_t{0});
  figures.peak_rss = peak_rss_bytes();
  return figures;
}

std::string json_report(const batch_options& options, const batch_figures& figures) {
  const auto count = static_cast<double>(options.coroutines);
  nlohmann::ordered_json object;
  object["coroutines"] = options.coroutines;
  object["workers"] = options.workers;
  object["seconds"] = figures.time.count();
  object["ns_per_coroutine"] = figures.time.count() * 1e9 / count;
  object["coroutines_per_second"] = count / figures.time.count();
  object["peak_rss_bytes"] = figures.peak_rss;
  object["threads_started"] = figures.metrics.threads_started;
  object["loops_created"] = figures.metrics.loops_created;
  object["frames_peak"] = figures.metrics.frames_peak;
  object["steals"] = figures.metrics.steals;
  object["checksum"] = figures.checksum;
  return object.dump() + "\n";
}

std::string text_report(const batch_options& options, const batch_figures& figures) {
  const auto count = static_cast<double>(options.coroutines);
  const auto& metrics = figures.metrics;
  const auto results_bytes = count * sizeof(std::uint64_t);
  report page("harrier batch: " + with_separators(options.coroutines) + " coroutines (" +
              work_names()[static_cast<std::size_t>(options.kind)] + ") on " +
              with_separators(options.workers) + (options.workers == 1 ? " worker" : " workers"));
  page.row("time", short_time(figures.time), short_time(figures.time / count) + " per coroutine");
  page.row("throughput", short_count(count / figures.time.count()) + "/s", "coroutines per second");
  page.row("loops created", with_separators(metrics.loops_created), "one per worker that had work");
  page.row("threads started", with_separators(metrics.threads_started), "");
  page.row("frames at peak", with_separators(static_cast<std::uint64_t>(metrics.frames_peak)),
           "coroutines in memory at once");
  page.row("steals", with_separators(metrics.steals), "times a worker took work from another");
  page.row("peak memory", short_bytes(static_cast<double>(figures.peak_rss)),
           short_bytes(results_bytes) + " of it hold the results");
  page.row("checksum", "correct", "sum of results " + std::to_string(figures.checksum));
  return page.text();
}

int run_batch(const batch_options& options) {
  const auto figures = measure(options);
  const auto expected = expected_checksum(options.coroutines);
  if (figures.checksum != expected) {
    std::fprintf(stderr, "harrier batch: wrong checksum: the results add up to %ju, not %ju\n",
                 std::uintmax_t{figures.checksum}, std::uintmax_t{expected});
    return exit_failure;
  }
  output out;
  out.write(options.json ? json_report(options, figures) : text_report(options, figures));
  out.flush();
  return exit_success;
}

constexpr const char* footer =
    R"(Kinds of work (item i always returns i, so the checksum is known in advance):
  noop      only returns
  yield     lets everything else that is ready run first, once
  sleep     sleeps for 1 to 10 ms
  compute   does a few hundred nanoseconds of arithmetic
  mixed     one of the four in turn

The time runs from dispatch until every result can be read. Memory is that of the
whole process; kB, MB and GB are powers of 1000. On a terminal, progress is shown on
standard error.

JSON fields: coroutines, workers, seconds, ns_per_coroutine, coroutines_per_second,
peak_rss_bytes, threads_started, loops_created, frames_peak, steals, checksum.

Examples:
  harrier batch
  harrier batch --coroutines 1M --work sleep
  harrier batch --coroutines 1e7 --workers 2 --json

Exit status: 0 done, 1 wrong checksum or out of memory, 2 bad arguments.)";

}  // namespace

void add_batch_command(CLI::App& program, std::function<int()>& chosen) {
  auto* const command = program.add_subcommand("batch", "Run millions of coroutines as one batch");
  const auto options = std::make_shared<batch_options>();
  command->add_option("--coroutines,-n", options->coroutines, "How many coroutines")
      ->type_name("N")
      ->transform(count_between(1, most_coroutines))
      ->default_str("10M");
  command->add_option("--workers,-w", options->workers, "How many worker threads")
      ->type_name("N")
      ->transform(count_between(1, max_workers))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--work",
          [options](const std::string& name) {
            const auto& names = work_names();
            const auto at = std::find(names.begin(), names.end(), name) - names.begin();
            options->kind = static_cast<work>(at);
          },
          "What each of them does")
      ->check(CLI::IsMember(work_names()))
      ->default_str("noop");
  command->add_flag("--json", options->json, "Print one JSON object and nothing else");
  command->footer(footer);
  command->callback([options, &chosen] { chosen = [options] { return run_batch(*options); }; });
}

}  // namespace harrier::cli
