// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/describe.hpp>

#include <harrier/debug.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/task.hpp>

#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace harrier::detail {

namespace {

/// Where each coroutine of a chain of awaits waits, innermost first; of a long chain the inner part.
class await_sites {
 public:
  /// The chain does not move meanwhile.
  void read(const suspension& leaf) noexcept {
    promise_base* at = promise_of(leaf.waiter);
    while (count_ < sites_.size()) {
      sites_[count_++] = at->site;  // it waits, so it has not thrown
      if (at->started_as != role::awaited) {
        return;
      }
      at = promise_of(at->continuation);
    }
  }
  void copy_to(std::vector<std::source_location>& out) const {
    out.assign(sites_.begin(), sites_.begin() + static_cast<std::ptrdiff_t>(count_));
  }

 private:
  /// Whoever awaits one of ours, but for a guest's host, is one of ours.
  static promise_base* promise_of(std::coroutine_handle<> handle) noexcept {
    return &std::coroutine_handle<promise_base>::from_address(handle.address()).promise();
  }

  std::array<std::source_location, 16> sites_;
  std::size_t count_ = 0;
};

/// If the task waits: takes it out of the reach of wakers and cancellers, reads, and does for them
/// what came meanwhile, as the loop does when it takes a node back (task_record::arrive_cancel).
void read_while_waiting(task_record& record, await_sites& sites) noexcept {
  std::uint32_t now = record.state.load(std::memory_order_relaxed);  // hint: re-checked
  do {
    if (task_record::phase_of(now) != task_record::waiting) {
      return;
    }
    // acquire: `wait`, `home` and the sites are visible, as to a canceller  [record:state]
  } while (!record.state.compare_exchange_weak(
      now, task_record::with_phase(now, task_record::withdrawing), std::memory_order_acq_rel,
      std::memory_order_relaxed));
  suspension& node = *record.wait;
  event_loop& home = *record.home.load(std::memory_order_relaxed);
  sites.read(node);
  now = record.state.load(std::memory_order_relaxed);  // hint: re-checked
  std::uint32_t changed = 0;
  bool woken = false;
  bool cancelled = false;
  do {
    woken = (now & task_record::woken) != 0;
    cancelled = !woken && (now & task_record::due) != 0;
    changed = now & ~task_record::woken;
    if (woken) {
      changed = task_record::with_phase(changed, task_record::active);
    } else if (cancelled) {
      changed = task_record::with_phase(changed, task_record::cancelling) | task_record::posted;
    } else {
      changed = task_record::with_phase(changed, task_record::waiting);
    }
    // acq_rel: [record:state]
  } while (!record.state.compare_exchange_weak(now, changed, std::memory_order_acq_rel,
                                               std::memory_order_relaxed));
  if (woken) {
    home.enqueue(node);
  } else if (cancelled && (now & task_record::posted) == 0) {
    record.add_reference();
    if (!home.post_node(record)) {
      fatal("a cancel was posted to a loop that closed while its task was waiting");
    }
  }
}

void add_spawn_site(task_record& record, error_report& to) {
  if (record_extras* more = record.more.load(std::memory_order_acquire)) {  // [record:extras]
    to.spawned_at = more->spawned_at;
  }
}

bool environment_says_debug() noexcept {
  const char* const value = std::getenv("HARRIER_DEBUG");  // NOLINT(concurrency-mt-unsafe)
  return value != nullptr && std::string_view(value) != "" && std::string_view(value) != "0";
}

}  // namespace

bool is_on(debug_mode mode) noexcept {
  return mode == debug_mode::on ||
         (mode == debug_mode::from_environment && environment_says_debug());
}

error_report describe(task_record& record, std::string message, std::exception_ptr error) {
  error_report report(std::move(message), std::move(error), record.name());
  add_spawn_site(record, report);
  await_sites sites;
  read_while_waiting(record, sites);
  sites.copy_to(report.waits_at);
  return report;
}

error_report describe_ready(ready_node& node) {
  task_record* record = nullptr;
  await_sites sites;
  if (node.operations->run == suspension::run) {
    auto& wait = static_cast<suspension&>(node);
    record = wait.record;
    sites.read(wait);
  } else if (node.operations->stealable) {
    record = &static_cast<task_record&>(node);
  }
  error_report report(record != nullptr ? "a step of a task" : "a callback", nullptr,
                      record != nullptr ? record->name() : std::string());
  if (record != nullptr) {
    add_spawn_site(*record, report);
  }
  sites.copy_to(report.waits_at);
  return report;
}

void note_spawn(task_record& record, std::source_location where) noexcept {
  try {
    record.extras().spawned_at = where;
  } catch (const std::bad_alloc&) {  // then reports do without
  }
}

void drop_unstarted(std::coroutine_handle<> unstarted) noexcept {
  const execution* at = here();
  const bool debug = at != nullptr && at->loop != nullptr ? at->loop->is_debug()
                                                          : is_on(debug_mode::from_environment);
  // One that is dropped because its call was refused needs no second report.
  if (debug && std::uncaught_exceptions() == 0) {
    report_error("a task was never awaited, run or spawned", nullptr, {});
  }
  unstarted.destroy();
}

}  // namespace harrier::detail
