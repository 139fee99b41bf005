// SPDX-License-Identifier: Apache-2.0
// The multithreaded half of harrier; the umbrella header of harrier::runtime.
#pragma once

#include <harrier/batch.hpp>
#include <harrier/checkpoint.hpp>
#include <harrier/chunk.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/fork.hpp>
#include <harrier/from_future.hpp>
#include <harrier/index_set.hpp>
#include <harrier/item_seed.hpp>
#include <harrier/metrics.hpp>
#include <harrier/offload.hpp>
#include <harrier/priority.hpp>
#include <harrier/procedure_registry.hpp>
#include <harrier/resume_on.hpp>
#include <harrier/runner.hpp>
#include <harrier/runtime_options.hpp>
#include <harrier/this_worker.hpp>
#include <harrier/when_all.hpp>

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {

/// Worker threads, each with a runner of its own, and a dispatcher that routes batches of
/// coroutines to them. Constructing one starts nothing: threads start with the first work, a
/// worker's loop with the worker, and an item's coroutine when a worker reaches the item.
///
/// Threads   every function may be called from any thread. Those that block throw blocking_in_loop
///           on a thread that runs a loop, a worker included: use co_await there.
/// Lifetime  the destructor stops: it cancels what still runs and joins the workers.
/// Errors    work handed in after stop() throws runtime_stopped, and nothing of it starts.
class HARRIER_EXPORT runtime final {
 public:
  runtime();
  /// Throws std::invalid_argument unless 1 <= workers <= max_workers.
  explicit runtime(std::size_t workers);
  explicit runtime(runtime_options options);
  runtime(const runtime&) = delete;
  runtime& operator=(const runtime&) = delete;
  ~runtime();

  /// Runs `work` on a worker, blocks until it has ended, and gives its result.
  template <class T>
  T run(task<T> work) {
    detail::blocking_wait::refuse_in_loop("runtime::run");
    return spawn(std::move(work)).get();
  }

  /// Starts `work` on a worker. From outside, with a queue_limit, blocks until there is room.
  template <class T>
  join_handle<T> spawn(task<T> work, std::string_view name = {},
                       priority urgency = priority::normal) {
    return *hand_in(work, name, urgency, true);
  }
  template <class T>
  join_handle<T> spawn(task<T> work, priority urgency) {
    return *hand_in(work, {}, urgency, true);
  }

  /// The same without blocking: takes `work` only if there is room.
  template <class T>
  std::optional<join_handle<T>> try_spawn(task<T>& work, priority urgency = priority::normal) {
    return hand_in(work, {}, urgency, false);
  }

  /// Starts `work` on that worker, bound to it: from its first step to its last it runs there and is
  /// never stolen, unless it says otherwise itself (resume_on, resume_anywhere). What it awaits runs
  /// there as well; a child that it forks may be stolen.
  ///
  /// Threads   any. From outside, blocks while queue_limit tasks are on their way to that worker;
  ///           each worker has a room of its own, apart from the one that spawn() fills.
  /// Order     first in first out among the tasks of one class that are sent to one worker.
  /// Errors    std::out_of_range, which names the number and the limit; runtime_stopped;
  ///           std::system_error: that worker has no thread and gets none; blocking_in_loop: full,
  ///           and the caller runs another loop. In each case nothing of the task has started.
  /// Cancel    before the start: its body never runs.
  /// Cost      threads start in the order of their numbers, so the first task for worker w starts
  ///           those below w, too. Then a record, a lock and at most one wake.
  template <class T>
  join_handle<T> spawn_on(std::size_t worker, task<T> work, std::string_view name = {},
                          priority urgency = priority::normal) {
    if (!work.valid()) {
      throw invalid_task();
    }
    detail::task_record& record =
        core_->spawn_on(worker, detail::task_access::promise(work), name, urgency);
    detail::task_access::release(work);  // the record owns the frame
    return join_handle<T>(record);
  }

  /// Runs `factory(i)` for each i below `count` as a coroutine, over all workers.
  ///
  /// The factory is copied once and lives until the last coroutine has ended; workers call it side
  /// by side. Nothing is made for an item before a worker starts it.
  /// Errors   runtime_stopped, std::bad_alloc, std::system_error: nothing has started.
  /// Cost     O(workers), one allocation for the batch and one for its results.
  template <class Factory>
  auto dispatch(std::uint64_t count, Factory factory, dispatch_options options = {}) {
    using result = typename std::invoke_result_t<Factory&, std::uint64_t>::value_type;
    static_assert(!std::is_reference_v<result>, "an item of a batch returns a value or nothing");
    auto* core =
        new detail::batch_made_by<result, Factory>(count, std::move(options), std::move(factory));
    return hand_over<result>(*core);
  }

  /// Runs `factory(element)` for each element of a random-access range, which is moved or referred
  /// to as std::views::all does.
  template <std::ranges::random_access_range Range, class Factory>
    requires std::ranges::sized_range<Range>
  auto dispatch(Range&& range, Factory factory, dispatch_options options = {}) {
    auto view = std::views::all(std::forward<Range>(range));
    const auto count = static_cast<std::uint64_t>(std::ranges::size(view));
    auto make = [view = std::move(view),
                 factory = std::move(factory)](std::uint64_t index) mutable {
      using difference = std::ranges::range_difference_t<decltype(view)>;
      return factory(std::ranges::begin(view)[static_cast<difference>(index)]);
    };
    return dispatch(count, std::move(make), std::move(options));
  }

  /// Runs tasks that exist already.
  template <class T>
  batch<T> dispatch(std::vector<task<T>> tasks, dispatch_options options = {}) {
    detail::check_all_valid(tasks);
    const std::uint64_t count = tasks.size();
    auto make = [tasks = std::move(tasks)](std::uint64_t index) mutable {
      return std::move(tasks[static_cast<std::size_t>(index)]);
    };
    return dispatch(count, std::move(make), std::move(options));
  }

  /// Refuses new work, cancels what runs, waits for it, and joins the workers. Idempotent. Inside a
  /// loop it does not wait: the destructor, or a stop() from outside, does. Calls that block are
  /// not interrupted, and waited for like the tasks that made them. While it drains, new work is taken:
  /// what goes on may need it.
  void stop(close_options how = {});
  /// Waits until nothing is left to do, at most for `limit`. False: there still is.
  bool drain(duration limit);
  bool is_stopped() const noexcept;

  /// The tasks that were spawned and have not ended, in no order, and the items that have suspended
  /// or asked for themselves. Stops the workers for a moment where they move tasks.
  std::vector<task_ref> all_tasks();

  std::size_t workers() const noexcept;
  runtime_metrics metrics() const;
  /// Gives cached memory back to the system: the calling thread's at once, each worker's when it next
  /// has nothing to do. What one thread had made and another freed comes home by that, and goes
  /// with the next trim(). Costs milliseconds.
  void trim();

 private:
  template <class T>
  std::optional<join_handle<T>> hand_in(task<T>& work, std::string_view name, priority urgency,
                                        bool wait) {
    if (!work.valid()) {
      throw invalid_task();
    }
    detail::task_record* record =
        core_->spawn(detail::task_access::promise(work), name, urgency, wait);
    if (record == nullptr) {
      return std::nullopt;
    }
    detail::task_access::release(work);  // the record owns the frame
    return join_handle<T>(*record);
  }

  template <class T>
  batch<T> hand_over(detail::batch_of<T>& core) {
    batch<T> handle(core);
    try {
      core_->dispatch(core);
    } catch (...) {  // nothing has started: the runtime's reference goes as well
      core.drop_reference();
      throw;
    }
    return handle;
  }

  std::unique_ptr<detail::runtime_core> core_;
};

}  // namespace harrier
