// SPDX-License-Identifier: Apache-2.0
// The multithreaded half of harrier; the umbrella header of harrier::runtime.
#pragma once

#include <harrier/batch.hpp>
#include <harrier/batch_item.hpp>
#include <harrier/batch_pipeline.hpp>
#include <harrier/batch_reduction.hpp>
#include <harrier/batch_stream.hpp>
#include <harrier/checkpoint.hpp>
#include <harrier/chunk.hpp>
#include <harrier/detail/batch_making.hpp>
#include <harrier/detail/batch_sinks.hpp>
#include <harrier/detail/make_input.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/spawn_request.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/fork.hpp>
#include <harrier/fork_stack.hpp>
#include <harrier/from_future.hpp>
#include <harrier/index_set.hpp>
#include <harrier/item_seed.hpp>
#include <harrier/metrics.hpp>
#include <harrier/offload.hpp>
#include <harrier/ordered_reduction.hpp>
#include <harrier/priority.hpp>
#include <harrier/procedure_registry.hpp>
#include <harrier/resume_on.hpp>
#include <harrier/runner.hpp>
#include <harrier/runtime_options.hpp>
#include <harrier/this_worker.hpp>
#include <harrier/when_all.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <source_location>
#include <stdexcept>
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

  /// Runs `work` on a worker, blocks until it has ended, and gives its result. Its frame is gone then,
  /// the parameters with it, unless somebody holds a task_ref to it.
  template <class T>
  T run(task<T> work, std::source_location site = std::source_location::current()) {
    detail::blocking_wait::refuse_in_loop("runtime::run");
    return spawn(std::move(work), {}, priority::normal, site).get();
  }

  /// Starts `work` on a worker. From outside, with a queue_limit, blocks until there is room. In debug
  /// mode reports of the task name the line of the call.
  template <class T>
  join_handle<T> spawn(task<T> work, std::string_view name = {},
                       priority urgency = priority::normal,
                       std::source_location site = std::source_location::current()) {
    return *hand_in(work, detail::spawn_request(name, urgency, site), true);
  }
  template <class T>
  join_handle<T> spawn(task<T> work, priority urgency,
                       std::source_location site = std::source_location::current()) {
    return *hand_in(work, detail::spawn_request({}, urgency, site), true);
  }
  /// The same in `where`, instead of a copy of the caller's context.
  template <class T>
  join_handle<T> spawn(task<T> work, const context& where, std::string_view name = {},
                       priority urgency = priority::normal,
                       std::source_location site = std::source_location::current()) {
    return *hand_in(work, detail::spawn_request(name, urgency, site, &where), true);
  }

  /// The same without blocking: takes `work` only if there is room.
  template <class T>
  std::optional<join_handle<T>> try_spawn(
      task<T>& work, priority urgency = priority::normal,
      std::source_location site = std::source_location::current()) {
    return hand_in(work, detail::spawn_request({}, urgency, site), false);
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
                          priority urgency = priority::normal,
                          std::source_location site = std::source_location::current()) {
    if (!work.valid()) {
      throw invalid_task();
    }
    detail::task_record& record = core_->spawn_on(worker, detail::task_access::promise(work),
                                                  detail::spawn_request(name, urgency, site));
    detail::task_access::release(work);  // the record owns the frame
    return join_handle<T>(record);
  }

  /// Runs `factory(element)` for each element of `source` as a coroutine, over all workers, and
  /// collects the results in the order of the input. The first of four forms that differ in what
  /// becomes of the results: dispatch, stream, reduce, for_each.
  ///
  /// Source   a number of items, for which the factory gets each index below it; a random-access range
  ///          of known size, whose elements are dealt to the workers as indices are; any other input
  ///          range, generators and endless ones included, whose elements are pulled one by one by
  ///          the worker that has room; an async_generator, which is moved, or a channel, until it is
  ///          closed, of which a task of the runtime awaits what such a worker asks for; a
  ///          batch_stream. A range is moved or referred to as std::views::all does.
  /// Factory  takes an element, and a `batch_item`, by value, if it wants to know the index, the
  ///          attempt and the item's seed; gives a task. It is copied once and lives until the
  ///          last coroutine has ended; workers call it side by side. Nothing is made for an item
  ///          before a worker starts it.
  /// Errors   runtime_stopped, std::bad_alloc, std::system_error, std::invalid_argument for options
  ///          that make no sense: nothing has started. Items that fail: every item runs to its
  ///          end, unless options.on_error() says otherwise.
  /// Cost     O(workers), one allocation for the batch and one for its results. Of a pulled source
  ///          the results are gathered in lists and moved to one array at the end.
  template <class Source, class Factory>
    requires(!detail::given_tasks<Source>)
  auto dispatch(Source&& source, Factory factory, dispatch_options options = {}) {
    auto work =
        prepare(std::forward<Source>(source), std::move(factory), std::move(options), collect_all);
    using result = typename decltype(work)::result;
    static_assert(!std::is_reference_v<result>, "an item of a batch returns a value or nothing");
    using base = std::conditional_t<detail::input_of<Source>::is_pulled,
                                    detail::gather_or_discard<result>, detail::batch_of<result>>;
    return hand_over<batch<result>>(*detail::make_batch<base>(std::move(work)));
  }

  /// Runs tasks that exist already.
  template <class T>
  batch<T> dispatch(std::vector<task<T>> tasks, dispatch_options options = {}) {
    detail::check_all_valid(tasks);
    if (options.retry) {
      throw std::invalid_argument("with_retry: tasks that exist already can be run once only");
    }
    const std::uint64_t count = tasks.size();
    auto make = [tasks = std::move(tasks)](std::uint64_t index) mutable {
      return std::move(tasks[static_cast<std::size_t>(index)]);
    };
    return dispatch(count, std::move(make), std::move(options));
  }

  /// The same with the results as they come, at most a window of them at a time.
  ///
  /// Errors   of items: fail_fast unless options.on_error() says otherwise.
  /// Example  docs/batch.md
  template <class Source, class Factory>
  auto stream(Source&& source, Factory factory, dispatch_options options = {}) {
    auto work =
        prepare(std::forward<Source>(source), std::move(factory), std::move(options), fail_fast);
    using result = typename decltype(work)::result;
    return hand_over<batch_stream<result>>(
        *detail::make_batch<detail::stream_of<result>>(std::move(work)));
  }

  /// The same with all results reduced to one value on the workers; none is stored. `how` is a
  /// reduction, or an ordered_reduction, whose value does not depend on who did what when.
  ///
  /// Errors   of items: fail_fast unless options.on_error() says otherwise.
  template <class Source, class Factory, class How>
  batch_reduction<typename How::value_type> reduce(Source&& source, Factory factory, How how,
                                                   dispatch_options options = {}) {
    auto work =
        prepare(std::forward<Source>(source), std::move(factory), std::move(options), fail_fast);
    using base = typename detail::reduce_batch<typename decltype(work)::result, How>::type;
    return hand_over<batch_reduction<typename How::value_type>>(
        *detail::make_batch<base>(std::move(work), std::move(how)));
  }

  /// The same with the results destroyed as they come.
  ///
  /// Errors   of items: fail_fast unless options.on_error() says otherwise.
  template <class Source, class Factory>
  batch<void> for_each(Source&& source, Factory factory, dispatch_options options = {}) {
    auto work =
        prepare(std::forward<Source>(source), std::move(factory), std::move(options), fail_fast);
    using base = detail::discard_of<typename decltype(work)::result>;
    return hand_over<batch<void>>(*detail::make_batch<base>(std::move(work)));
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
  /// or asked for themselves; of those that have only yielded, the ones that await their turn. Stops the
  /// workers for a moment where they move tasks.
  std::vector<task_ref> all_tasks();

  /// What each of those tasks waits for, and who waits in a circle. The workers go on, but for moments as
  /// above; a task that waits is held still while it is looked at.
  ///
  /// Threads  any, workers included.     Errors   std::bad_alloc.
  /// Cost     microseconds for each task.
  /// Example  docs/doctor.md
  diagnosis diagnose();
  /// The same as text.
  void dump(std::ostream& out);

  std::size_t workers() const noexcept;
  runtime_metrics metrics() const;
  /// Gives cached memory back to the system: the calling thread's at once, each worker's when it next
  /// has nothing to do. What one thread had made and another freed comes home by that, and goes
  /// with the next trim(). Costs milliseconds.
  void trim();

 private:
  template <class T>
  std::optional<join_handle<T>> hand_in(task<T>& work, const detail::spawn_request& request,
                                        bool wait) {
    if (!work.valid()) {
      throw invalid_task();
    }
    detail::task_record* record = core_->spawn(detail::task_access::promise(work), request, wait);
    if (record == nullptr) {
      return std::nullopt;
    }
    detail::task_access::release(work);  // the record owns the frame
    return join_handle<T>(*record);
  }

  template <class Source, class Factory>
  static auto prepare(Source&& source, Factory factory, dispatch_options options,
                      error_policy default_errors) {
    return detail::item_work<detail::input_of<Source>, Factory>(
        detail::make_input(std::forward<Source>(source)), std::move(factory), std::move(options),
        default_errors);
  }

  template <class Handle, class Core>
  Handle hand_over(Core& core) {
    core_->hand_over(core);
    return Handle(core);
  }

  std::unique_ptr<detail::runtime_core> core_;
};

}  // namespace harrier
