// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/describe.hpp>

#include <harrier/debug.hpp>
#include <harrier/detail/examination.hpp>
#include <harrier/detail/held_wait.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>
#include <harrier/task.hpp>

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

namespace harrier::detail {

namespace {

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
  if (const held_wait wait(record); wait) {
    report.waits_at = await_sites(wait.node());
  }
  return report;
}

error_report describe_ready(ready_node& node) {
  task_record* record = nullptr;
  std::vector<std::source_location> sites;
  if (node.operations->run == suspension::run) {
    auto& wait = static_cast<suspension&>(node);
    record = wait.record;
    sites = await_sites(wait);
  } else if (node.operations->stealable) {
    record = &static_cast<task_record&>(node);
  }
  error_report report(record != nullptr ? "a step of a task" : "a callback", nullptr,
                      record != nullptr ? record->name() : std::string());
  if (record != nullptr) {
    add_spawn_site(*record, report);
  }
  report.waits_at = std::move(sites);
  return report;
}

void note_spawn(task_record& record, std::source_location where) noexcept {
  try {
    record_extras& more = record.extras();
    more.spawned_at = where;
    more.spawned_when = record.home.load(std::memory_order_relaxed)->now();  // nobody else has it
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
