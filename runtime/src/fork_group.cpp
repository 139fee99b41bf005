// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/fork_group.hpp>

#include <harrier/cancellation.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

namespace harrier::detail {

std::coroutine_handle<> fork_group::begin(std::coroutine_handle<> waiter, handles children) {
  joining_.promise.is_awaited_by(promise_base::of(waiter).handle());
  HARRIER_ASSERT(joining_.promise.handle() == joining_.handle());
  children_ = children.data();
  left_ = children.size();
  try {
    cancel_.enter(promise_base::of(waiter).record());
  } catch (...) {
    for (const std::coroutine_handle<> child : children) {
      promise_base::of(child)
          .join.keep();  // never offered: it goes like one that nobody has stolen
    }
    throw;
  }
  // relaxed: thieves learn of the group with the children
  ends_from_.store(cancel_.asked_from(), std::memory_order_relaxed);
  const bool tells = ends_on_ == group_ends_on::any_error;
  const auto child_at = [this, children, tells](std::size_t index) {
    promise_base& child = promise_base::of(children[index]);
    if (tells) {
      child.owner = this;
      child.join.enter_group();
    }
    return &child;
  };
  // The last is begun at once, so that there is nothing to steal.
  const std::size_t offered = children.size() - 1;
  worker_slot* slot = this_slot();
  if (slot != nullptr && slot->deque_.push_all_quickly(offered, child_at)) [[likely]] {
    if (slot->core_.idle().anyone_hungry_after_plain_push()) [[unlikely]] {
      slot->core_.wake_one();  // who finds one of them wakes the next
    }
  } else {
    for (std::size_t index = 0; index < offered; ++index) {
      worker_slot::push_or_keep(child_at(index)->handle());
    }
  }
  promise_base& last = promise_base::of(children[offered]);
  join_.child_ = &last;
  last.is_awaited_by(joining_.handle());
  return transfer(last.handle());
}

std::coroutine_handle<> fork_group::begin_next() noexcept {
  if (--left_ == 0) [[unlikely]] {
    join_.child_ = nullptr;
    return transfer(joining_.promise.continuation);
  }
  promise_base& child = promise_base::of(children_[left_ - 1]);
  join_.child_ = &child;
  worker_slot* slot = this_slot();
  if (!must_end() && slot != nullptr && slot->pop_child_quickly(child)) [[likely]] {
    child.is_awaited_by(joining_.handle());
    return transfer(child.handle());
  }
  return begin_slowly();
}

std::coroutine_handle<> fork_group::begin_slowly() noexcept {
  promise_base& child = *join_.child_;
  if (must_end()) {
    keep_error(nullptr);  // unless a child has failed before
    if (take_back(child)) {
      return transfer(joining_.handle());  // never started, and never to be
    }
    cancel_stolen(child);
  }
  try {
    return join_.begin_slowly(joining_.promise);
  } catch (...) {  // kept: thrown once all have ended
    keep_error(std::current_exception());
    return transfer(joining_.handle());
  }
}

bool fork_group::ended_otherwise() noexcept {
  promise_base& child = current();
  if (child.join.is_waited_for()) {
    try {
      join_.wait_.deliver_cancel();
    } catch (...) {  // kept: thrown once all have ended
      keep_error(std::current_exception());
      return false;
    }
  }
  if (child.result == result_kind::error &&
      (ends_on_ == group_ends_on::any_error ||
       (is_cancel(child.error) && cancel_.is_cancelled_from_outside()))) {
    keep_error(child.error);
  }
  return child.result == result_kind::value;
}

void fork_group::abandon() noexcept {
  if (left_ != 0 && join_.child_ != nullptr) {
    child_join::drop(*std::exchange(join_.child_, nullptr));
    --left_;
  }
  while (left_ != 0) {
    drop_unjoined(promise_base::of(children_[--left_]));
  }
  cancel_.leave();
  cancel_.rearm();
}

bool fork_group::keep_error(std::exception_ptr error) noexcept {
  // acq_rel: pairs with must_end()  [fork_group:ends]; the error itself is read after the joins
  if (ends_from_.exchange(0, std::memory_order_acq_rel) == 0) {
    return false;
  }
  error_ = std::move(error);
  return true;
}

void fork_group::child_failed(child_group& self, promise_base& child) noexcept {
  auto& group = static_cast<fork_group&>(self);
  if (group.keep_error(child.error)) {
    group.cancel_.fire();
  }
}

void fork_group::finish_failed() {
  cancel_.leave();
  has_left_ = true;
  if (error_ == nullptr) {
    cancel_.task().take_cancel();
    cancel_.task().throw_cancelled();
  }
  if (!is_cancel(error_)) {
    cancel_.rearm();  // the error is thrown, and a cancel from outside at the next suspension
  }
  std::rethrow_exception(error_);
}

}  // namespace harrier::detail
