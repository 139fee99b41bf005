// SPDX-License-Identifier: Apache-2.0
#include "batch_command.hpp"

#include "batch_work.hpp"
#include "count_argument.hpp"
#include "duration_argument.hpp"
#include "exit_status.hpp"
#include "interrupt.hpp"
#include "output.hpp"
#include "peak_memory.hpp"
#include "progress_bar.hpp"
#include "progress_mode.hpp"
#include "report.hpp"
#include "units.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>

namespace harrier::cli {

namespace {

class batch_options {
 public:
  batch_options() {}

  std::uint64_t coroutines = 10'000'000;
  std::uint64_t workers = default_workers();
  work kind = work::noop;
  bool json = false;
  std::uint64_t window = 0;  // 0: automatic
  std::optional<std::chrono::nanoseconds> deadline;
  std::string checkpoint;  // none if empty
  std::optional<std::chrono::nanoseconds> checkpoint_interval;
  progress_mode progress = progress_mode::automatic;
};

enum class ending { complete, interrupted, deadline };

class batch_figures {
 public:
  batch_figures() {}

  seconds_f time{};
  std::uint64_t checksum = 0;
  std::uint64_t peak_rss = 0;
  std::uint64_t expected = 0;
  batch_counts counts;
  ending end = ending::complete;
  runtime_metrics metrics;
};

constexpr std::uint64_t most_coroutines = 1'000'000'000;

using steady = std::chrono::steady_clock;

/// Shows how far a batch is, as `--progress` wants it.
class batch_progress {
 public:
  explicit batch_progress(const batch_options& options)
      : options_(options),
        bar_(options.progress != progress_mode::json && options.progress != progress_mode::none) {}

  bool is_wanted() const noexcept { return bar_.is_visible() || is_json(); }

  void show(const batch_counts& counts, bool is_end) {
    if (!is_json()) {
      const auto what = work_names()[static_cast<std::size_t>(options_.kind)] + " coroutines";
      return bar_.draw(counts.completed + counts.skipped, counts.total, what);
    }
    const auto now = steady::now();
    if (!is_end && now - last_line_ < json_interval) return;
    last_line_ = now;
    nlohmann::ordered_json line;
    line["completed"] = counts.completed;
    line["skipped"] = counts.skipped;
    line["total"] = counts.total;
    line["seconds"] = seconds_f(now - start_).count();
    line["done"] = is_end;
    bar_.print_above(line.dump());
  }

  void end(const batch_counts& counts) {
    if (is_json()) show(counts, true);
  }

 private:
  static constexpr std::chrono::seconds json_interval{1};
  bool is_json() const noexcept { return options_.progress == progress_mode::json; }

  const batch_options& options_;
  progress_bar bar_;
  steady::time_point start_ = steady::now();
  steady::time_point last_line_ = start_;
};

// The main thread has nothing else to do, so it draws. Ten looks a second cost the workers nothing.
template <class T>
ending wait_to_the_end(batch<T>& items, const batch_options& options,
                       const std::optional<interrupt_watch>& interrupts) {
  batch_progress progress(options);
  ending end = ending::complete;
  if (!progress.is_wanted() && !options.deadline && !interrupts) {
    items.wait();
    return end;
  }
  const auto last =
      options.deadline ? steady::now() + *options.deadline : steady::time_point::max();
  for (;;) {
    const auto look = std::min<duration>(progress_bar::interval, last - steady::now());
    if (items.wait_for(std::max(look, duration::zero()))) break;
    progress.show(items.counts(), false);
    if (end != ending::complete) continue;
    if (interrupts && interrupts->is_interrupted()) end = ending::interrupted;
    if (steady::now() >= last) end = ending::deadline;
    if (end != ending::complete) items.cancel();
  }
  progress.end(items.counts());
  return end;
}

dispatch_options windowed(const batch_options& options) {
  dispatch_options how;
  if (options.window != 0) how.with_window(options.window);
  return how;
}

// The results of a batch without a checkpoint stay in memory and are added up in the end.
void run_in_memory(runtime& rt, const batch_options& options, batch_figures& figures) {
  const auto start = steady::now();
  auto items = dispatch_work(rt, options.kind, options.coroutines, windowed(options));
  figures.end = wait_to_the_end(items, options, std::nullopt);
  figures.counts = items.counts();
  if (figures.end != ending::complete) return;
  const auto results = items.get();
  figures.time = steady::now() - start;
  figures.metrics = rt.metrics();
  figures.checksum = std::accumulate(results.begin(), results.end(), std::uint64_t{0});
  figures.peak_rss = peak_rss_bytes();
}

std::uint64_t sum_of(const index_set& indices) {
  std::uint64_t sum = 0;
  for (const auto& range : indices.ranges()) {
    sum += expected_checksum(range.last) - expected_checksum(range.first);
  }
  return sum;
}

void run_with_checkpoint(runtime& rt, const batch_options& options, batch_figures& figures) {
  const std::optional<interrupt_watch> interrupts(std::in_place);
  checkpoint_options how;
  if (options.checkpoint_interval) how.every(*options.checkpoint_interval);
  const auto name = "harrier batch " + work_names()[static_cast<std::size_t>(options.kind)];
  checkpoint kept(options.checkpoint, batch_identity(name, options.coroutines), how);
  figures.expected -= sum_of(kept.finished());
  std::atomic<std::uint64_t> sum{0};
  const auto start = steady::now();
  auto items = dispatch_summed_work(rt, options.kind, options.coroutines,
                                    windowed(options).with_checkpoint(kept), sum);
  figures.end = wait_to_the_end(items, options, interrupts);
  figures.time = steady::now() - start;
  figures.counts = items.counts();
  figures.metrics = rt.metrics();
  figures.checksum = sum.load();
  figures.peak_rss = peak_rss_bytes();
  kept.save();
}

batch_figures measure(const batch_options& options) {
  batch_figures figures;
  figures.expected = expected_checksum(options.coroutines);
  runtime rt(options.workers);
  if (options.checkpoint.empty()) {
    run_in_memory(rt, options, figures);
  } else {
    run_with_checkpoint(rt, options, figures);
  }
  return figures;
}

// At least 1, for averages: a batch may have been finished before.
double count_of_run(const batch_options& options, const batch_figures& figures) {
  return std::max(1.0, static_cast<double>(options.coroutines - figures.counts.skipped));
}

std::string json_report(const batch_options& options, const batch_figures& figures) {
  const auto count = count_of_run(options, figures);
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
  if (!options.checkpoint.empty()) object["skipped"] = figures.counts.skipped;
  return object.dump() + "\n";
}

std::string text_report(const batch_options& options, const batch_figures& figures) {
  const auto count = count_of_run(options, figures);
  const auto& metrics = figures.metrics;
  const bool has_results = options.checkpoint.empty();
  const auto results_bytes = has_results ? count * sizeof(std::uint64_t) : 0.0;
  report page("harrier batch: " + with_separators(options.coroutines) + " coroutines (" +
              work_names()[static_cast<std::size_t>(options.kind)] + ") on " +
              with_separators(options.workers) + (options.workers == 1 ? " worker" : " workers"));
  page.row("time", short_time(figures.time), short_time(figures.time / count) + " per coroutine");
  if (!has_results) {
    page.row("skipped", with_separators(figures.counts.skipped), "in the checkpoint already");
  }
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

int end_early(const batch_options& options, const batch_figures& figures) {
  const bool is_deadline = figures.end == ending::deadline;
  const auto& counts = figures.counts;
  std::fprintf(stderr, "harrier: %s after %ju of %ju coroutines%s\n",
               is_deadline ? "the deadline came" : "interrupted",
               std::uintmax_t{counts.completed + counts.skipped}, std::uintmax_t{counts.total},
               options.checkpoint.empty() ? "" : "; the same command goes on from the checkpoint");
  return is_deadline ? exit_deadline : exit_interrupted;
}

int run_batch(const batch_options& options) {
  const auto figures = measure(options);
  if (figures.end != ending::complete) return end_early(options, figures);
  if (figures.checksum != figures.expected) {
    std::fprintf(stderr, "harrier batch: wrong checksum: the results add up to %ju, not %ju\n",
                 std::uintmax_t{figures.checksum}, std::uintmax_t{figures.expected});
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
standard error; `--progress json` prints an object a line there, once a second and at
the end: completed, skipped, total, seconds, done.

With --checkpoint the coroutines keep no results: each adds its own to the checksum.
The same command goes on from the checkpoint however it ended, and the figures are
those of the coroutines that were left. SIGINT (Ctrl-C) cancels what is left and saves;
a second one stops at once.

JSON fields: coroutines, workers, seconds, ns_per_coroutine, coroutines_per_second,
peak_rss_bytes, threads_started, loops_created, frames_peak, steals, checksum; with --checkpoint skipped.

Examples:
  harrier batch
  harrier batch --coroutines 1M --work sleep
  harrier batch --coroutines 1e7 --workers 2 --json

Exit status: 0 done, 1 wrong checksum, out of memory or a checkpoint that is refused,
2 bad arguments, 124 the deadline came first, 130 interrupted (with --checkpoint).)";

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
  command
      ->add_option("--window", options->window,
                   "How many may be started and unfinished; 0: as many as keep the workers busy")
      ->type_name("N")
      ->transform(count_between(0, most_coroutines))
      ->capture_default_str();
  add_duration_option(*command, "--deadline", options->deadline, "When to cancel what is left");
  command
      ->add_option("--checkpoint", options->checkpoint,
                   "Keep what is finished here, and go on from there")
      ->type_name("FILE");
  add_duration_option(*command, "--checkpoint-every", options->checkpoint_interval,
                      "How often to save the checkpoint")
      ->needs("--checkpoint")
      ->default_str("1s");
  add_progress_option(*command, options->progress);
  command->add_flag("--json", options->json, "Print one JSON object and nothing else");
  command->footer(footer);
  command->callback([options, &chosen] { chosen = [options] { return run_batch(*options); }; });
}

}  // namespace harrier::cli
