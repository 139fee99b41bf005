// SPDX-License-Identifier: Apache-2.0
#include <harrier/fork.hpp>

#include <sched.h>

namespace harrier {
namespace detail {

bool take_back(promise_base& child) noexcept {
  if (child.join.is_kept()) {
    return true;
  }
  if (worker_slot* slot = this_slot()) {
    promise_base* popped = slot->pop_child();
    if (popped == &child) {
      return true;
    }
    if (popped != nullptr) {
      slot->put_back(*popped);
    }
  }
  return false;
}

void take_back_or_wait(promise_base& child) noexcept {
  if (take_back(child)) {
    return;  // never started: its frame goes with the handle
  }
  worker_slot* slot = this_slot();
  // A thief has it, and it may refer to the parent's locals, which are about to go.
  cancel_stolen(child);
  // What it waits for may be ours to run: the thread helps meanwhile.
  while (!child.join.has_ended()) {
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
  if (child.join.is_in_group()) {
    static_cast<child_group*>(child.owner)->parent = this;
  } else {
    child.owner = this;
  }
  if (child.join.parent_waits() || !abandon_wait()) {
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
  if (child.join.is_kept()) {
    child.is_awaited_by(parent.handle());
    return transfer(child.handle());
  }
  if (child.join.has_ended()) {
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
}  // namespace harrier
