// SPDX-License-Identifier: Apache-2.0
#include <harrier/fork.hpp>

#include <harrier/when_all.hpp>

#include <sched.h>

namespace harrier {
namespace detail {

void take_back_or_wait(promise_base& child) noexcept {
  if (is_kept_for_join(child)) {
    return;
  }
  worker_slot* slot = this_slot();
  if (slot != nullptr) {
    promise_base* popped = slot->pop_child();
    if (popped == &child) {
      return;  // never started: its frame goes with the handle
    }
    if (popped != nullptr) {
      slot->put_back(*popped);
    }
  }
  // A thief has it, and it may refer to the parent's locals, which are about to go.
  cancel_stolen(child);
  // What it waits for may be ours to run: the thread helps meanwhile.
  while (!has_ended(child)) {
    if (slot == nullptr || !slot->help()) {
      ::sched_yield();
    }
  }
}

const ready_operations stolen_child_wait::operations_table{suspension::run, withdraw, nullptr,
                                                           true};

withdrawal stolen_child_wait::withdraw(ready_node& node) noexcept {
  return cancel_stolen(*static_cast<stolen_child_wait&>(node).child_) ? withdrawal::passed_on
                                                                      : withdrawal::too_late;
}

std::coroutine_handle<> stolen_child_wait::wait(promise_base& child, promise_base& parent) {
  child_ = &child;
  bind(parent.handle(), "join of a forked child");
  while (!begin_wait()) {  // a cancel is due: it goes on to the child
    if (!cancel_stolen(child)) {
      return transfer(parent.handle());
    }
    record->take_cancel();
  }
  if (wait_for_child(child, *this) || !abandon_wait()) {
    return std::noop_coroutine();
  }
  return transfer(parent.handle());
}

std::coroutine_handle<> child_join::begin(promise_base& child, promise_base& parent) {
  worker_slot* slot = this_slot();
  if (slot != nullptr && slot->pop_child_quickly(child)) [[likely]] {
    child.is_awaited_by(parent.handle());
    return transfer(child.handle());
  }
  return begin_slowly(child, parent);
}

std::coroutine_handle<> child_join::begin_slowly(promise_base& child, promise_base& parent) {
  worker_slot* slot = this_slot();
  promise_base* popped = slot != nullptr ? slot->pop_child() : nullptr;
  if (popped == &child) {
    child.is_awaited_by(parent.handle());
    return transfer(child.handle());
  }
  if (popped != nullptr) {
    slot->put_back(*popped);
  }
  if (is_kept_for_join(child)) {
    child.is_awaited_by(parent.handle());
    return transfer(child.handle());
  }
  if (has_ended(child)) {
    return transfer(parent.handle());
  }
  is_waiting_ = true;
  try {
    return std::construct_at(&wait_)->wait(child, parent);
  } catch (...) {  // the child may refer to the parent's locals: passed on once it has ended
    is_waiting_ = false;
    take_back_or_wait(child);
    throw;
  }
}

}  // namespace detail

task<> when_all(std::vector<task<>> work) {
  if (detail::this_slot() == nullptr) {
    auto all = detail::run_each(std::move(work));
    co_await all;
    co_return;
  }
  std::vector<forked<void>> children;
  children.reserve(work.size());
  for (task<>& each : work) {
    children.push_back(detail::fork_now(std::move(each)));
  }
  std::exception_ptr error;
  while (!children.empty()) {
    try {
      co_await children.back();
    } catch (...) {  // kept: rethrown once all have ended; the first by position wins
      error = std::current_exception();
    }
    children.pop_back();
  }
  if (error) {
    std::rethrow_exception(error);
  }
}

}  // namespace harrier
