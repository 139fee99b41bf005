// SPDX-License-Identifier: Apache-2.0
// The records of tasks that were run or spawned, and the plain ones of guests and stolen children.
#include <harrier/detail/child_group.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/record_memory.hpp>
#include <harrier/detail/spin_mutex.hpp>
#include <harrier/event_loop.hpp>

#include <exception>
#include <new>
#include <utility>

namespace harrier::detail {

namespace {

/// Tells somebody of an error that dies with its task, unless it is a cancel.
void report_unretrieved(task_record& record) noexcept {
  const std::exception_ptr& error = record.root->error;
  if (is_cancel(error)) {
    return;
  }
  const execution* at = here();
  const bool closing = at != nullptr && at->loop != nullptr && at->loop->is_closing();
  const char* message =
      closing ? "a task failed while its runner was closed" : "task exception was never retrieved";
  record_extras* more = record.more.load(std::memory_order_acquire);  // [record:extras]
  try {
    error_report report(message, error, record.name());
    if (more != nullptr) {
      report.spawned_at = more->spawned_at;
    }
    if (!closing && more != nullptr && more->handler != nullptr) {
      report_to(more->handler.get(), report);
    } else {
      report_error(std::move(report));
    }
  } catch (const std::bad_alloc&) {  // no memory to tell it with
  }
}

/// The error is left to whoever holds the handle. If it is dropped unread, maybe on a thread without
/// a loop and after the loop's end, the handler of this loop is told.
void leave_error(task_record& record, const execution& at) noexcept {
  try {
    if (at.loop->handler() != nullptr) {
      record.extras().handler = at.loop->handler();
    }
  } catch (const std::bad_alloc&) {  // the report will go to stderr
  }
}

void destroy_root(task_record& record) noexcept {
  if (promise_base* root = record.root) {
    if (root->result == result_kind::error && !record.is_error_taken()) {
      report_unretrieved(record);
    }
    root->handle().destroy();
  }
  free_record(record);
}

/// A task that was cancelled or dropped before its first step: its frame and parameters go at once.
void end_unstarted(task_record& record) noexcept {
  execution* at = here();  // null: a loop that is discarding what it has
  if (at != nullptr) {
    begin_ending(*at);
  }
  record_list::remove(record);  // first: who walks the list reads `root`
  record.state.fetch_or(task_record::due, std::memory_order_relaxed);
  std::exchange(record.root, nullptr)->handle().destroy();
  if (at != nullptr) {
    finish_ending(*at);
  }
  record.end();
  record.release();
}

// A record is queued twice: to start its task, and to bring it a cancel while it waits.
void start_root(ready_node& node, execution& at);
void discard_unstarted(ready_node& node) noexcept {
  end_unstarted(static_cast<task_record&>(node));
}
void discard_cancel(ready_node& node) noexcept {
  static_cast<task_record&>(node).drop_reference();  // it comes too late
}

void finish_root(task_record& record, execution& at) noexcept {
  if (record.root->result == result_kind::error) {
    if (record.is_unheld()) {
      report_unretrieved(record);  // detached: nobody can take it any more
      record.take_error();
    } else {
      leave_error(record, at);
    }
  }
  end_in_step(at, record);
  record_list::remove(record);
  if (record.is_unheld()) {
    record.end_out_of_reach();
  } else {
    record.end();
  }
}

constexpr record_operations unstarted_root{
    {start_root, nullptr, discard_unstarted, true}, finish_root, destroy_root, true};
constexpr record_operations started_root{
    {task_record::arrive_cancel, nullptr, discard_cancel, false}, finish_root, destroy_root, true};

void start_root(ready_node& node, execution& at) {
  auto& record = static_cast<task_record&>(node);
  if (record.cancel_is_due()) {
    end_unstarted(record);
  } else {
    // Whoever queues the record again has seen the task wait, and so this store.
    record.operations = &started_root.ready;
    resume(at, record.root->handle(), record.context);
  }
}

// A submitted record is in no list while it is on its way to its loop.
void arrive_submitted(ready_node& node, execution& at) {
  auto& record = static_cast<task_record&>(node);
  record.operations = &unstarted_root.ready;
  at.loop->live().add(record);
  start_root(record, at);
}
void discard_submitted(ready_node& node) noexcept {
  auto& record = static_cast<task_record&>(node);
  record.state.fetch_or(task_record::due, std::memory_order_relaxed);  // published by release()
  std::exchange(record.root, nullptr)->handle().destroy();
  record.end();
  record.release();
}
constexpr record_operations submitted_root{
    {arrive_submitted, nullptr, discard_submitted, false}, finish_root, destroy_root, true};

// A plain record stands for a coroutine whose frame somebody else owns: only a cancel queues it.

void finish_plain(task_record& record, execution& at) noexcept {
  if (at.context == &record.context) {
    at.context = nullptr;  // whoever goes on in this step has another
  }
  record_list::remove(record);
  record.end();
  record.release();
}

void destroy_plain(task_record& record) noexcept { free_record(record); }

constexpr record_operations plain_operations{
    {task_record::arrive_cancel, nullptr, discard_cancel, false},
    finish_plain,
    destroy_plain,
    false};

}  // namespace

const ready_node* end_wait_for_good(task_record& record) noexcept {
  const auto phase = task_record::phase_of(record.state.load(std::memory_order_relaxed));
  if (phase != task_record::waiting && phase != task_record::cancelling) {
    return nullptr;
  }
  const withdrawal how = record.wait->operations->withdraw(*record.wait);
  if (how == withdrawal::too_late) {
    return record.wait->operations->discard != nullptr ? record.wait : nullptr;
  }
  // relaxed: nobody finds the wait any more
  record.state.fetch_and(~task_record::phase_mask, std::memory_order_relaxed);
  return nullptr;
}

void destroy_where_it_waits(task_record& record) noexcept {
  end_wait_for_good(record);  // of a task that has come since
  if (record.root == nullptr || record.root->started_as != role::root) {
    record_list::remove(record);  // a plain record: its coroutine goes with the frame that owns it
    record.release();
    return;
  }
  record_list::remove(record);
  // relaxed: abandon() publishes it
  record.state.fetch_or(task_record::due, std::memory_order_relaxed);
  std::exchange(record.root, nullptr)->handle().destroy();
  record.end();
  record.abandon();
}

task_record& make_unlisted_root_record(promise_base& root, event_loop& home,
                                       std::string_view name) {
  // One holder: the handle.
  task_record& record = make_record_of<task_record>(unstarted_root, root, home, 1u);
  if (name == main_name) {
    record.state.store(task_record::main, std::memory_order_relaxed);
  } else if (!name.empty()) {
    try {
      record_extras& more = record.extras();
      more.name = name;
      more.spawned_when = home.now();  // next to what the name costs it is little
    } catch (...) {  // undone and passed on
      free_record(record);
      throw;
    }
  }
  root.started_as = role::root;
  root.set_record(record);
  record.context = context_word::snapshot();
  return record;
}

void take_back_unlisted(task_record& record) noexcept {
  record.root->chain = 0;
  free_record(record);
}

task_record& make_root_record(promise_base& root, event_loop& home, std::string_view name) {
  task_record& record = make_unlisted_root_record(root, home, name);
  home.live().add(record);
  return record;
}

task_record& submit_root_record(promise_base& root, event_loop& home, std::string_view name) {
  task_record& record = make_unlisted_root_record(root, home, name);
  record.operations = &submitted_root.ready;
  if (!home.post_node(record)) {
    take_back_unlisted(record);
    throw loop_closed();
  }
  return record;
}

void start_eagerly(task_record& record, event_loop& loop) noexcept {
  constexpr std::uint32_t most_nested = 16;  // each may nest transfer_budget frames
  execution* at = here();
  if (at != &loop.execution() || at->eager_steps == most_nested) {
    loop.enqueue(record);
    return;
  }
  ++at->eager_steps;
  const std::uint32_t left = transfers_left;
  start_root(record, *at);
  release_finished(*at);
  transfers_left = left;
  --at->eager_steps;
}

void promise_base::take_and_rethrow() {
  result = result_kind::taken_error;
  std::rethrow_exception(error);
}

promise_base& promise_base::find_root() noexcept {
  const auto parent = [](const promise_base& of) -> promise_base& {
    return std::coroutine_handle<promise_base>::from_address(of.continuation.address()).promise();
  };
  promise_base* root = this;
  while (root->started_as == role::awaited) {
    root = root->chain != 0 ? reinterpret_cast<promise_base*>(root->chain) : &parent(*root);
  }
  // Each coroutine on the way remembers it, so that it is passed once however often somebody asks.
  for (promise_base* each = this; each->started_as == role::awaited && each->chain == 0;
       each = &parent(*each)) {
    each->chain = reinterpret_cast<std::uintptr_t>(root);
  }
  return *root;
}

task_record& promise_base::make_record(promise_base& root) {
  if (record_source* source = root.source()) {
    return source->make(*source, root);
  }
  event_loop& home = this_loop();
  task_record& record = make_record_of<task_record>(plain_operations, root, home, 0u);
  root.set_record(record);
  home.live().add(record);
  if (root.started_as != role::stolen) {
    record.context = context_word::snapshot();
  } else {
    record.context = std::move(*here()->context);  // from the stack of who started it
    here()->context = &record.context;
    if (root.join.makes_record()) {
      record.cancel(nullptr);
    }
  }
  return record;
}

bool cancel_stolen(promise_base& child) noexcept {
  switch (child.join.begin_cancel()) {
    case join_word::cancel::too_late:
      return false;
    case join_word::cancel::of_record:
      child.record_if_made()->cancel(nullptr);
      break;
    case join_word::cancel::left:
      break;
  }
  child.join.end_cancel();
  return true;
}

std::coroutine_handle<> finish(std::coroutine_handle<> of_ended) noexcept {
  promise_base& ended = promise_base::of(of_ended);
  execution& at = *here();
  task_record* record = ended.record_if_made();
  switch (ended.started_as) {
    case role::guest:
      if (record != nullptr) {
        record->ops().finish(*record, at);
      }
      return transfer(ended.continuation);
    case role::stolen: {
      if (record != nullptr) {
        ended.join.closes_record();
        record->ops().finish(*record, at);
      }
      child_group* group =
          ended.join.is_in_group() ? static_cast<child_group*>(ended.owner) : nullptr;
      if (group != nullptr && ended.result == result_kind::error) [[unlikely]] {
        group->failed(*group, ended);
      }
      suspension* parent = nullptr;
      if (ended.join.child_ends()) {
        parent = group != nullptr ? group->parent : static_cast<suspension*>(ended.owner);
      }
      if (parent != nullptr && parent->record->is_bound()) {
        wake(*parent);  // it goes on where it is bound, not here
      } else if (parent != nullptr && end_wait(*parent)) {
        at.context = &parent->record->context;
        return transfer(parent->waiter);
      }
      return std::noop_coroutine();
    }
    case role::root:
    case role::item:
    case role::awaited:
      break;
  }
  record->ops().finish(*record, at);
  return std::noop_coroutine();
}

void* allocate_record_bytes() { return allocate_unowned_block(record_bytes); }
void free_record_bytes(void* memory) noexcept { free_unowned_block(memory, record_bytes); }

}  // namespace harrier::detail
