// SPDX-License-Identifier: Apache-2.0
#include <harrier/fork.hpp>

#include <harrier/detail/child_group.hpp>
#include <harrier/detail/context_word.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/wait_facts.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/fork_stack.hpp>

#include <coroutine>
#include <memory>
#include <new>
#include <stdexcept>
#include <thread>

namespace harrier {
namespace detail {

// What is rare is a call at the end, so that the usual case needs no stack frame.
std::coroutine_handle<> offer(std::coroutine_handle<> child, context_keeper& keeper) {
  // relaxed: hint, see context_word::snapshot()
  if (has_context_vars.load(std::memory_order_relaxed)) [[unlikely]] {
    return worker_slot::push_or_keep(keeper(child));
  }
  worker_slot* slot = this_slot();
  promise_base& promise = promise_base::of(child);
  if (slot == nullptr || !slot->deque_.push_quickly(&promise)) [[unlikely]] {
    return worker_slot::push_or_keep(child);
  }
  if (slot->core_.idle().anyone_hungry_after_plain_push()) [[unlikely]] {
    return slot->wake_for(child);
  }
  return child;
}

std::coroutine_handle<> worker_slot::wake_for(std::coroutine_handle<> child) noexcept {
  core_.wake_one();
  return child;
}

std::coroutine_handle<> worker_slot::push_or_keep(std::coroutine_handle<> child) noexcept {
  promise_base& promise = promise_base::of(child);
  worker_slot* slot = this_slot();
  if (slot == nullptr) {
    promise.join.keep();
    return child;
  }
  try {
    slot->deque_.push(&promise);
  } catch (const std::bad_alloc&) {  // the parent then runs the child itself
    promise.join.keep();
    return child;
  }
  slot->core_.notify_local();
  return child;
}

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
  if (slot != nullptr) {
    slot->wait_in_step(child);
    return;
  }
  while (!child.join.has_ended()) {
    std::this_thread::yield();
  }
}

void drop_unjoined(promise_base& child) noexcept {
  take_back_or_wait(child);
  child.handle().destroy();
}

void child_join::tell(const ready_node& node, wait_facts& facts) {
  // The node is the join's first member.
  const auto& join = *reinterpret_cast<const child_join*>(static_cast<const suspension*>(&node));
  facts.on.push_back(join.child_);
}

const ready_operations child_join::operations_table =
    suspension::wait_table("a forked child", withdraw, tell);

withdrawal child_join::withdraw(ready_node& node) noexcept {
  // The node is the join's first member.
  auto& join = *reinterpret_cast<child_join*>(static_cast<suspension*>(&node));
  return cancel_stolen(*join.child_) ? withdrawal::passed_on : withdrawal::too_late;
}

std::coroutine_handle<> child_join::wait(promise_base& parent) {
  promise_base& child = *child_;
  std::construct_at(&wait_, operations_table);
  HARRIER_ASSERT(static_cast<void*>(&wait_) == static_cast<void*>(this));
  wait_.bind(parent.handle(), "join of a forked child");
  while (!wait_.begin_wait()) {  // a cancel is due: it goes on to the child
    if (!cancel_stolen(child)) {
      child.join.parent_waits();  // not any more: a wait all the same, and ends as one
      return transfer(parent.handle());
    }
    wait_.record->take_cancel();
  }
  if (child.join.is_in_group()) {
    static_cast<child_group*>(child.owner)->parent = &wait_;
  } else {
    child.owner = &wait_;
  }
  if (child.join.parent_waits() || !wait_.abandon_wait()) {
    return std::noop_coroutine();
  }
  return transfer(parent.handle());
}

std::coroutine_handle<> child_join::begin(std::coroutine_handle<> parent) {
  worker_slot* slot = this_slot();
  promise_base& child = *child_;
  if (slot != nullptr && slot->pop_child_quickly(child)) [[likely]] {
    child.is_awaited_by(promise_base::of(parent).handle());
    return transfer(child.handle());
  }
  return begin_slowly(promise_base::of(parent));
}

std::coroutine_handle<> child_join::begin_slowly(promise_base& parent) {
  promise_base& child = *child_;
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
  try {
    return wait(parent);
  } catch (...) {  // the child may refer to the parent's locals: passed on once it has ended
    take_back_or_wait(child);
    throw;
  }
}

void throw_too_many_forks() { throw std::length_error("more children than the fork_stack holds"); }

void child_join::end_otherwise() {
  if (child_->join.is_waited_for()) {
    wait_.deliver_cancel();
  }
  child_->rethrow_error();
}

void child_join::drop(promise_base& child) noexcept {
  if (child.join.is_waited_for() && !child.join.has_ended()) {
    take_back_or_wait(child);  // the parent is destroyed where it waits
  }
  child.handle().destroy();
}

}  // namespace detail
}  // namespace harrier
