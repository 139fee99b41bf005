// SPDX-License-Identifier: Apache-2.0
#include "batches.hpp"

#include "fuzz/expect.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

namespace harrier::fuzz {

namespace {

using namespace std::chrono_literals;

constexpr unsigned collects = 15;
constexpr std::size_t most_items = 16;

class item_failed : public std::runtime_error {
 public:
  item_failed() : std::runtime_error("meant to fail") {}
};

std::uint64_t value_of(std::uint64_t index) { return index * 3 + 1; }

/// One batch, while it runs and after.
class batch_run {
 public:
  batch_run(const batch_specification& what, bool stops) : what_(what), stops_(stops) {}

  void hand_in(runtime& rt) {
    auto factory = [this](std::uint64_t, batch_item which) { return item(this, which); };
    switch (what_.form) {
      case batch_form::dispatch: {
        auto handle = rt.dispatch(std::uint64_t{what_.items}, factory, options());
        settle(handle);
        check_results(handle);
        return;
      }
      case batch_form::stream: {
        auto handle = rt.stream(std::uint64_t{what_.items}, factory, options());
        interfere(handle);
        read(handle);
        check(handle);
        return;
      }
      case batch_form::reduce: {
        auto handle =
            rt.reduce(std::uint64_t{what_.items}, factory,
                      reduction(std::uint64_t{0}, std::plus<>{}, std::plus<>{}), options());
        settle(handle);
        if (handle.counts().completed == what_.items) check_sum(handle);
        return;
      }
      case batch_form::for_each: {
        auto handle = rt.for_each(std::uint64_t{what_.items}, factory, options());
        settle(handle);
        if (!is_disturbed()) check_thrown(handle);
        return;
      }
    }
  }

 private:
  // --- the model

  bool fails_at_first(std::uint64_t index) const {
    return (what_.failing >> index & 1) != 0 && what_.failures != 0;
  }
  bool fails(std::uint64_t index) const {
    return fails_at_first(index) && what_.failures > what_.retries;
  }
  unsigned attempts_of(std::uint64_t index) const {
    if (!fails_at_first(index)) return 1;
    return 1 + std::min(what_.failures, what_.retries);
  }
  std::uint64_t failing_items() const {
    std::uint64_t count = 0;
    for (std::uint64_t index = 0; index < what_.items; ++index) count += fails(index) ? 1 : 0;
    return count;
  }
  std::uint64_t sum_of_all() const {
    std::uint64_t sum = 0;
    for (std::uint64_t index = 0; index < what_.items; ++index) sum += value_of(index);
    return sum;
  }
  bool is_disturbed() const {
    return stops_ ||
           (what_.meanwhile != interference::none && what_.meanwhile != interference::pause);
  }
  bool is_tolerated(std::uint64_t failures) const {
    return failures == 0 || (what_.tolerated != collects && failures <= what_.tolerated);
  }

  // --- the batch

  static task<std::uint64_t> item(batch_run* run, batch_item which) {
    class under_way {
     public:
      explicit under_way(batch_run& of) : of_(of) {
        const unsigned now = of_.under_way_.fetch_add(1) + 1;
        expect(of_.what_.window == 0 || now <= of_.what_.window, "a window is no wall");
      }
      ~under_way() { of_.under_way_.fetch_sub(1); }
      under_way(const under_way&) = delete;
      under_way& operator=(const under_way&) = delete;

     private:
      batch_run& of_;
    };
    const under_way counted(*run);
    const unsigned before = run->attempts_[which.index].fetch_add(1);
    expect(which.attempt == before + 1, "an item ran twice, or left an attempt out");
    for (unsigned left = (run->what_.turns + which.index) % 4; left != 0; --left) co_await yield();
    if (run->fails_at_first(which.index) && which.attempt <= run->what_.failures) {
      throw item_failed();
    }
    co_return value_of(which.index);
  }

  dispatch_options options() const {
    dispatch_options how;
    if (what_.window != 0) how.with_window(what_.window);
    if (what_.retries != 0) {
      how.with_retry(retry_policy().attempts(what_.retries + 1).backoff(50us).on<item_failed>());
    }
    if (what_.tolerated == collects) {
      how.on_error(collect_all);
    } else {
      how.on_error(what_.tolerated == 0 ? fail_fast : tolerate(what_.tolerated));
    }
    if (what_.route == 1) how.round_robin();
    if (what_.route >= 2) how.by_key([](std::uint64_t index) { return index / 3; });
    if (what_.route == 3) how.strictly();
    if (what_.meanwhile == interference::deadline) how.with_deadline(150us);
    return how;
  }

  template <class Handle>
  void interfere(Handle& handle) {
    switch (what_.meanwhile) {
      case interference::cancel:
        return handle.cancel();
      case interference::drop:
        return handle.drop_unstarted();
      case interference::pause:
        handle.pause();
        std::this_thread::sleep_for(100us);
        return handle.resume();
      default:
        return;
    }
  }

  template <class Handle>
  void settle(Handle& handle) {
    interfere(handle);
    handle.wait();
    check(handle);
  }

  void read(batch_stream<std::uint64_t>& handle) {
    std::array<unsigned, most_items> taken{};
    std::uint64_t count = 0;
    bool threw = false;
    try {
      while (auto result = handle.wait_next()) {
        expect(result->index < what_.items && result->value == value_of(result->index),
               "a streamed result is wrong");
        expect(++taken[result->index] == 1, "a result came twice");
        ++count;
      }
    } catch (const item_failed&) {
      threw = true;
    } catch (const cancelled&) {
      expect(is_disturbed(), "a stream was cancelled by nobody");
      threw = true;
    } catch (const batch_deadline_exceeded&) {
      expect(what_.meanwhile == interference::deadline, "a deadline that nobody set");
      threw = true;
    }
    handle.wait();
    const batch_counts counts = handle.counts();
    if (!threw) expect(count == counts.completed, "results of a stream are missing");
    if (!is_disturbed()) {
      const bool must = what_.tolerated != collects && !is_tolerated(counts.failed);
      expect(threw == must, "a stream threw, or did not");
    }
  }

  // --- what must hold

  void check(const batch_control& handle) {
    const batch_counts counts = handle.counts();
    const std::uint64_t all = counts.completed + counts.failed + counts.cancelled;
    expect(handle.done() && counts.total == what_.items, "a batch is not done, or of another size");
    expect(all == what_.items, "the counts of a batch do not add up");
    expect(under_way_.load() == 0, "an item of a batch that is done still runs");
    check_items(counts);
    check_errors(handle, counts);
    if (is_disturbed()) return;
    const std::uint64_t failing = failing_items();
    if (what_.tolerated == collects || is_tolerated(failing)) {
      expect(counts.failed == failing && counts.cancelled == 0, "items are missing");
    } else {
      expect(counts.failed > what_.tolerated, "failures are missing");
    }
  }

  void check_items(const batch_counts& counts) {
    std::uint64_t begun = 0;
    for (std::uint64_t index = 0; index < what_.items; ++index) {
      const unsigned attempts = attempts_[index].load();
      begun += attempts != 0 ? 1 : 0;
      expect(attempts <= attempts_of(index), "an item was tried too often");
    }
    expect(begun <= counts.started, "an item ran that was not started");
    expect(counts.completed + counts.failed <= begun, "an item ended that had not begun");
    if (!is_disturbed() && counts.completed == what_.items) {
      for (std::uint64_t index = 0; index < what_.items; ++index) {
        expect(attempts_[index].load() == attempts_of(index), "an item was not tried again");
      }
    }
  }

  void check_errors(const batch_control& handle, const batch_counts& counts) {
    const auto errors = handle.errors();
    expect(errors.size() == counts.failed, "errors are missing: " + std::to_string(errors.size()) +
                                               " of " + std::to_string(counts.failed));
    std::optional<std::uint64_t> last;
    for (const item_error& each : errors) {
      expect(fails(each.index), "an item failed that should not");
      expect(each.attempts == what_.retries + 1, "an item failed with attempts left");
      expect(!last || *last < each.index, "errors are not in order");
      last = each.index;
    }
    expect(handle.first_error().has_value() == (counts.failed != 0), "no first error, or no error");
  }

  void check_results(batch<std::uint64_t>& handle) {
    std::uint64_t with_result = 0;
    for (std::uint64_t index = 0; index < what_.items; ++index) {
      if (!handle.has_result(index)) continue;
      ++with_result;
      expect(handle.results()[index] == value_of(index), "a result is wrong");
      expect(!fails(index), "an item that fails has a result");
    }
    expect(with_result == handle.counts().completed, "results are missing");
    if (!is_disturbed()) check_thrown(handle);
  }

  template <class Handle>
  void check_sum(Handle& handle) {
    try {
      expect(handle.get() == sum_of_all(), "a reduction is wrong");
    } catch (const cancelled&) {  // when the last had completed, before the end
      expect(is_disturbed(), "a reduction was cancelled by nobody");
    } catch (const batch_deadline_exceeded&) {  // likewise
      expect(what_.meanwhile == interference::deadline, "a deadline that nobody set");
    }
  }

  template <class Handle>
  void check_thrown(Handle& handle) {
    const std::uint64_t failed = handle.counts().failed;
    bool threw = false;
    try {
      handle.get();
    } catch (const item_failed&) {
      threw = true;
    }
    expect(threw == !is_tolerated(failed), "get() threw, or did not");
  }

  const batch_specification& what_;
  const bool stops_;
  std::atomic<unsigned> under_way_{0};
  std::array<std::atomic<unsigned>, most_items> attempts_{};
};

}  // namespace

void run_batch(runtime& rt, const batch_specification& what, bool stops) {
  batch_run run(what, stops);
  try {
    run.hand_in(rt);
  } catch (const runtime_stopped&) {
    expect(stops, "a batch was refused by a runtime that nobody stopped");
  }
}

}  // namespace harrier::fuzz
