// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch_progress.hpp>
#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/error_policy.hpp>
#include <harrier/priority.hpp>
#include <harrier/retry_policy.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

namespace harrier {

class checkpoint;
namespace detail {
class completion_recorder;
}

/// How the items of a batch are dealt to the workers. Other workers may steal what has not started,
/// unless the batch is strict.
enum class routing {
  balanced,  ///< equal contiguous parts
  round_robin,  ///< item i to worker i modulo the number of workers
  by_key,  ///< items with one key to one worker
};

/// What get() of a batch throws whose deadline has passed.
class HARRIER_EXPORT batch_deadline_exceeded : public std::runtime_error {
 public:
  batch_deadline_exceeded();
};

/// What an item fails with that ran longer than with_item_timeout() allows.
class HARRIER_EXPORT item_timed_out : public std::runtime_error {
 public:
  item_timed_out();
};

/// How a batch is dispatched. The defaults suit most batches.
///
/// Errors   what makes no sense is refused by std::invalid_argument, here or by dispatch.
/// Cost     retries, timeouts and the rate put one coroutine around each item; without them there is
///          none. Nothing else here costs an item anything.
class HARRIER_EXPORT dispatch_options {
 public:
  dispatch_options();
  ~dispatch_options();
  dispatch_options(const dispatch_options&);
  dispatch_options(dispatch_options&&) noexcept;
  dispatch_options& operator=(const dispatch_options&);
  dispatch_options& operator=(dispatch_options&&) noexcept;

  dispatch_options& round_robin() {
    policy = routing::round_robin;
    return *this;
  }
  /// `of(index)` is called once for each item, by dispatch().
  dispatch_options& by_key(std::function<std::uint64_t(std::uint64_t)> of) {
    policy = routing::by_key;
    key = std::move(of);
    return *this;
  }
  /// No item is started on another worker than it was dealt to.
  dispatch_options& strictly() {
    strict = true;
    return *this;
  }
  /// At most `most` items started and unfinished at once: a hard wall. A streamed result counts
  /// until it is taken. Without it the window is automatic: from 1024 for each worker it grows while
  /// that brings more items per second, shrinks while that costs none or memory is short, and grows
  /// where nothing ends for a while, so that items which wait for each other go on (docs/batch.md).
  ///
  /// Threads   the batch's window() and progress().window tell what it is, at any time, in any thread.
  /// Cost      where no item waits: none. Otherwise the clock is read once in eight chunks.
  dispatch_options& with_window(std::uint64_t most);
  /// The same as a number of bytes, of which each item under way takes `item_bytes`: the frames of
  /// its coroutines and what they own.
  dispatch_options& with_memory_budget(std::size_t bytes, std::size_t item_bytes);
  /// How urgent the items are, those that start and those that go on after a wait.
  dispatch_options& with_priority(priority how) {
    urgency = how;
    return *this;
  }

  /// Leaves out the items that `of` knows to be finished, and records there each one that
  /// completes. The items return nothing (checkpoint.hpp).
  dispatch_options& with_checkpoint(checkpoint& of);

  /// What failed items mean. By default fail_fast; for runtime::dispatch, which keeps the outcome of
  /// each item, collect_all.
  dispatch_options& on_error(error_policy how) {
    errors = how;
    has_error_policy = true;
    return *this;
  }
  /// Tries failed items again.
  dispatch_options& with_retry(retry_policy how) {
    retry = std::move(how);
    return *this;
  }

  /// Cancels the batch that long after dispatch, unless it is done; get() throws
  /// batch_deadline_exceeded.
  dispatch_options& with_deadline(duration from_dispatch);
  /// Cancels an attempt of an item after `limit`; it fails with item_timed_out, once it has ended.
  dispatch_options& with_item_timeout(duration limit);
  /// At most that many attempts begin in a second, evenly; after a quiet time up to `burst` at once.
  dispatch_options& with_rate(double per_second, std::uint64_t burst = 1);
  /// What batch_item::seed() of each item is made from.
  dispatch_options& with_seed(std::uint64_t of_batch) {
    seed = of_batch;
    return *this;
  }
  /// Calls `callback` on a worker, each `period` on the workers' clock, until the batch is done.
  dispatch_options& on_progress(duration period,
                                std::function<void(const batch_progress&)> callback);

  bool needs_guard() const noexcept {
    return retry.has_value() || item_timeout > duration::zero() || rate > 0;
  }
  /// Throws std::invalid_argument for what contradicts itself.
  void check() const;

  routing policy = routing::balanced;
  std::function<std::uint64_t(std::uint64_t)> key;
  bool strict = false;
  std::uint64_t window = 0;  ///< 0: automatic
  priority urgency = priority::normal;
  std::shared_ptr<detail::completion_recorder> recorder;
  error_policy errors = fail_fast;
  bool has_error_policy = false;
  std::optional<retry_policy> retry;
  duration deadline{0};  ///< 0: none
  duration item_timeout{0};  ///< 0: none
  double rate = 0;  ///< 0: no limit
  std::uint64_t rate_burst = 1;
  std::uint64_t seed = 0;
  duration progress_period{0};
  std::function<void(const batch_progress&)> progress_callback;
};

}  // namespace harrier
