// SPDX-License-Identifier: Apache-2.0
#include "batch_command.hpp"

#include "batch_work.hpp"
#include "count_argument.hpp"
#include "duration_argument.hpp"
#include "exit_status.hpp"
#include "interrupt.hpp"
#include "limits.hpp"
#include "on_error_argument.hpp"
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
  std::uint64_t retries = 0;
  std::uint64_t per_second = 0;  // 0: as many as can be
  error_policy errors = fail_fast;
  std::string checkpoint;  // none if empty
  std::optional<std::chrono::nanoseconds> checkpoint_interval;
  progress_mode progress = progress_mode::automatic;
};

enum class ending { complete, interrupted, deadline, failed };

class batch_figures {
 public:
  batch_figures() {}

  seconds_f time{};
  std::uint64_t checksum = 0;
  std::uint64_t peak_rss = 0;
  std::uint64_t expected = 0;
  batch_counts counts;
  std::uint64_t retried = 0;
  std::string first_error;  // of those that failed for good
  ending end = ending::complete;
  runtime_metrics metrics;
};

constexpr std::uint64_t most_per_second = 1'000'000'000;

using steady = std::chrono::steady_clock;

/// Shows how far a batch is, as `--progress` wants it.
class batch_progress {
 public:
  explicit batch_progress(const batch_options& options)
      : options_(options),
        bar_(options.progress != progress_mode::json && options.progress != progress_mode::none) {}

  void show(const batch_counts& counts, std::uint64_t window, bool is_end) {
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
    line["window"] = window;
    line["seconds"] = seconds_f(now - start_).count();
    line["done"] = is_end;
    bar_.print_above(line.dump());
  }

  void end(const batch_counts& counts, std::uint64_t window) {
    if (is_json()) show(counts, window, true);
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
                       const interrupt_watch& interrupts) {
  batch_progress progress(options);
  ending end = ending::complete;
  const auto last =
      options.deadline ? steady::now() + *options.deadline : steady::time_point::max();
  for (;;) {
    const auto look = std::min<duration>(progress_bar::interval, last - steady::now());
    if (items.wait_for(std::max(look, duration::zero()))) break;
    progress.show(items.counts(), items.window(), false);
    if (end == ending::complete && interrupts.is_interrupted()) {
      end = ending::interrupted;
      items.drop_unstarted();
    }
    if (steady::now() >= last) {
      if (end == ending::complete) end = ending::deadline;
      items.cancel();
    }
  }
  progress.end(items.counts(), items.window());
  return end;
}

dispatch_options dispatch_options_for(const batch_options& options) {
  using namespace std::chrono_literals;
  dispatch_options how;
  how.on_error(options.errors);
  if (options.window != 0) how.with_window(options.window);
  if (options.per_second != 0) {
    how.with_rate(static_cast<double>(options.per_second));
    // What waits for its turn has started: an interrupt must not wait for much of that.
    if (options.window == 0) how.with_window(options.per_second + options.workers);
  }
  if (options.retries != 0) {
    const auto attempts = static_cast<std::uint32_t>(options.retries + 1);
    how.with_retry(
        retry_policy().attempts(attempts).backoff(1ms, 2.0, 1s).jitter(0.5).on<service_busy>());
  }
  return how;
}

/// What became of the items, once all have ended.
template <class T>
void take_outcome(batch<T>& items, const batch_options& options, batch_figures& figures) {
  figures.counts = items.counts();
  figures.retried = items.progress().retried;
  if (figures.counts.failed == 0) return;
  figures.first_error = "coroutine " + std::to_string(items.first_error()->index) + " has failed";
  try {
    items.get();
  } catch (const service_busy& error) {
    figures.first_error = error.what();
    // Of those that are collected one is thrown, too.
    if (options.errors.cancels() && figures.end == ending::complete) figures.end = ending::failed;
  } catch (const run_cancelled&) {  // it was cut short, which figures.end says
  }
}

std::uint64_t sum_of_results(const batch<std::uint64_t>& items) {
  const auto results = items.results();
  std::uint64_t sum = 0;
  std::uint64_t next = 0;
  for (const item_error& each : items.errors()) {
    while (next < each.index) sum += results[next++];
    ++next;
  }
  while (next < results.size()) sum += results[next++];
  return sum;
}

// The results of a batch without a checkpoint stay in memory and are added up in the end.
void run_in_memory(runtime& rt, const batch_options& options, const interrupt_watch& interrupts,
                   batch_figures& figures) {
  const auto start = steady::now();
  auto items = dispatch_work(rt, options.kind, options.coroutines, dispatch_options_for(options));
  figures.end = wait_to_the_end(items, options, interrupts);
  figures.time = steady::now() - start;
  take_outcome(items, options, figures);
  if (figures.end != ending::complete) return;
  figures.metrics = rt.metrics();
  figures.checksum = sum_of_results(items);
  figures.peak_rss = peak_rss_bytes();
}

/// What the items below `count` add to the checksum.
std::uint64_t expected_sum(const batch_options& options, std::uint64_t count) {
  return expected_checksum(count) - expected_failures(options.kind, count, options.retries).sum;
}

std::uint64_t expected_sum(const batch_options& options, const index_set& indices) {
  std::uint64_t sum = 0;
  for (const auto& range : indices.ranges()) {
    sum += expected_sum(options, range.last) - expected_sum(options, range.first);
  }
  return sum;
}

void run_with_checkpoint(runtime& rt, const batch_options& options,
                         const interrupt_watch& interrupts, batch_figures& figures) {
  checkpoint_options how;
  if (options.checkpoint_interval) how.every(*options.checkpoint_interval);
  const auto name = "harrier batch " + work_names()[static_cast<std::size_t>(options.kind)];
  checkpoint kept(options.checkpoint, batch_identity(name, options.coroutines), how);
  figures.expected -= expected_sum(options, kept.finished());
  std::atomic<std::uint64_t> sum{0};
  const auto start = steady::now();
  auto items = dispatch_summed_work(rt, options.kind, options.coroutines,
                                    dispatch_options_for(options).with_checkpoint(kept), sum);
  figures.end = wait_to_the_end(items, options, interrupts);
  figures.time = steady::now() - start;
  take_outcome(items, options, figures);
  figures.metrics = rt.metrics();
  figures.checksum = sum.load();
  figures.peak_rss = peak_rss_bytes();
  kept.save();
}

batch_figures measure(const batch_options& options) {
  batch_figures figures;
  figures.expected = expected_sum(options, options.coroutines);
  const interrupt_watch interrupts;
  runtime rt(options.workers);
  if (options.checkpoint.empty()) {
    run_in_memory(rt, options, interrupts, figures);
  } else {
    run_with_checkpoint(rt, options, interrupts, figures);
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
  if (options.kind == work::flaky) {
    object["failed"] = figures.counts.failed;
    object["retried"] = figures.retried;
  }
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
  if (options.kind == work::flaky) {
    page.row("failed", with_separators(figures.counts.failed),
             "for good; " + with_separators(figures.retried) + " were tried again");
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
  const auto& counts = figures.counts;
  const char* why = "interrupted";
  if (figures.end == ending::deadline) why = "the deadline came";
  if (figures.end == ending::failed) why = figures.first_error.c_str();
  std::fprintf(stderr, "harrier: %s after %ju of %ju coroutines%s\n", why,
               std::uintmax_t{counts.completed + counts.skipped}, std::uintmax_t{counts.total},
               options.checkpoint.empty() ? "" : "; the same command goes on from the checkpoint");
  if (figures.end == ending::failed) return exit_failure;
  return figures.end == ending::deadline ? exit_deadline : exit_interrupted;
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
  if (options.errors.cancels() || figures.counts.failed == 0) return exit_success;
  std::fprintf(stderr, "harrier: %ju coroutines failed; the first: %s\n",
               std::uintmax_t{figures.counts.failed}, figures.first_error.c_str());
  return exit_failure;
}

constexpr const char* batch_footer =
    R"(Kinds of work (item i returns i or fails, so the checksum is known in advance):
  noop      only returns
  yield     lets everything else that is ready run first, once
  sleep     sleeps for 1 to 10 ms
  compute   does a few hundred nanoseconds of arithmetic
  mixed     one of the four in turn
  flaky     fails now and then: coroutines 9, 19, 29 ... at their first attempt, 99,
            199 ... at their first two, 999, 1999 ... at each

A coroutine that fails is tried again up to --retry times, after a millisecond or so,
then twice as long each time. Of those that fail for good, --on-error says what they
mean: `fail`, the first ends the batch; `collect`, all others still run, and the exit
status is 1; a number or a share of all, more than that ends the batch. What ends it
cancels what is left. With --rate, at most so many attempts begin in a second, and
unless --window says otherwise about as many are under way.

The time runs from dispatch until every result can be read. Memory is that of the
whole process; kB, MB and GB are powers of 1000. On a terminal, progress is shown on
standard error; `--progress json` prints an object a line there, once a second and at
the end: completed, skipped, total, window, seconds, done.

With --checkpoint the coroutines keep no results: each adds its own to the checksum.
The same command goes on from the checkpoint however it ended, and the figures are
those of the coroutines that were left; those that failed are among them.

SIGINT (Ctrl-C) begins nothing more, lets end what has begun, and saves the checkpoint;
a second one stops at once.

JSON fields: coroutines, workers, seconds, ns_per_coroutine, coroutines_per_second,
peak_rss_bytes, threads_started, loops_created, frames_peak, steals, checksum; with
--checkpoint skipped; with --work flaky failed, retried.

Examples:
  harrier batch
  harrier batch --coroutines 1M --work sleep
  harrier batch --coroutines 1e7 --workers 2 --json
  harrier batch --coroutines 1M --work flaky --retry 2 --on-error 1%

Exit status: 0 done, 1 coroutines failed (and more than --on-error tolerates), a wrong
checksum, out of memory or a checkpoint that is refused, 2 bad arguments, 124 the
deadline came first, 130 interrupted.)";

CLI::Validator window_size() {
  auto check = [count = count_between(0, most_coroutines)](std::string& text) {
    if (text == "auto") {
      text = "0";
      return std::string();
    }
    const std::string error = count(text);
    return error.empty() ? error : error + "; or auto";
  };
  return CLI::Validator(check, "", "window");
}

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
      ->add_option(
          "--window", options->window,
          "How many may be started and unfinished; auto or 0: 1024 for each worker, then as "
          "many as throughput and memory speak for")
      ->type_name("N|auto")
      ->transform(window_size())
      ->capture_default_str();
  add_duration_option(*command, "--deadline", options->deadline, "When to cancel what is left");
  command->add_option("--retry", options->retries, "How often to try again what has failed")
      ->type_name("N")
      ->transform(count_between(0, most_retries))
      ->capture_default_str();
  command->add_option("--rate", options->per_second, "At most this many attempts a second")
      ->type_name("N")
      ->transform(count_between(1, most_per_second));
  add_on_error_option(*command, options->errors, "What failures mean")->default_str("fail");
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
  command->footer(batch_footer);
  command->callback([options, &chosen] { chosen = [options] { return run_batch(*options); }; });
}

}  // namespace harrier::cli
