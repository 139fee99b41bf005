// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/task_record.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/event_loop.hpp>

#include <mutex>
#include <new>
#include <utility>

namespace harrier::detail {

bool task_record::cancel(std::shared_ptr<const std::string> message) noexcept {
  if (message || more.load(std::memory_order_acquire) != nullptr) {  // [record:extras]
    try {
      record_extras& more_of_it = extras();
      const std::scoped_lock guard(more_of_it.mutex);
      more_of_it.cancel_message = std::move(message);
    } catch (const std::bad_alloc&) {
      // The cancel matters more than its message.
    }
  }
  return phase_of(request_cancel()) != done;
}

std::uint32_t task_record::request_cancel() noexcept {
  std::uint32_t now = state.load(std::memory_order_relaxed);  // hint: re-checked at [record:state]
  std::uint32_t changed = 0;
  do {
    if (phase_of(now) == done) {
      return now;
    }
    changed = now | due;
    if (now / one_request != most_requests) {
      changed += one_request;
    }
    if (phase_of(now) == waiting) {
      changed = with_phase(changed, cancelling) | posted;
    }
    // acq_rel: [record:state] acquire pairs with the release in begin_wait(), so that `home` and
    // `wait` are visible to whoever wins; release pairs with the acquire of the loop that delivers.
  } while (!state.compare_exchange_weak(now, changed, std::memory_order_acq_rel,
                                        std::memory_order_relaxed));
  if (phase_of(now) == waiting && (now & posted) == 0) {
    add_reference();
    if (!home.load(std::memory_order_relaxed)->post_node(*this)) {  // ordered by [record:state]
      fatal("a cancel was posted to a loop that closed while its task was waiting");
    }
  }
  return now;
}

std::uint32_t task_record::uncancel(std::uint32_t floor) noexcept {
  // relaxed throughout: the count and the due bit carry nothing but themselves
  std::uint32_t now = state.load(std::memory_order_relaxed);
  std::uint32_t changed = 0;
  do {
    if (now < one_request) {
      return 0;
    }
    changed = now - one_request;
    if (changed / one_request <= floor && phase_of(now) == active && (now & withdrawn) == 0) {
      changed &= ~due;
    }
  } while (!state.compare_exchange_weak(now, changed, std::memory_order_relaxed,
                                        std::memory_order_relaxed));
  return changed / one_request;
}

void task_record::arrive_cancel(ready_node& node, execution& at) {
  auto& record = static_cast<task_record&>(node);
  // acquire, release: [record:state], as in cancel()
  std::uint32_t now = record.state.load(std::memory_order_acquire);
  std::uint32_t changed = 0;
  do {
    changed = now & ~posted;
    if (phase_of(now) == cancelling) {
      changed = with_phase(changed, withdrawing);
    }
    // acq_rel: [record:state]
  } while (!record.state.compare_exchange_weak(now, changed, std::memory_order_acq_rel,
                                               std::memory_order_acquire));
  if (phase_of(now) != cancelling) {
    record.drop_reference();  // the waker was first: the cancel is due when the task resumes
    return;
  }
  // From here the wait is ours: nobody resumes the node while the record is withdrawing.
  suspension& wait = *record.wait;
  event_loop& home = *record.home.load(std::memory_order_relaxed);
  const bool elsewhere = &home != at.loop;
  const withdrawal how = elsewhere ? withdrawal::too_late : wait.operations->withdraw(wait);
  const std::uint32_t requests = changed / one_request;
  now = record.state.load(std::memory_order_relaxed);  // hint: re-checked by the exchange
  bool run_it = false;
  do {
    run_it = how == withdrawal::taken || (now & woken) != 0;
    changed = now & ~woken;
    if (how == withdrawal::passed_on && now / one_request == requests) {
      changed &= ~due;  // no further cancel has come meanwhile: this one is dealt with
    }
    if (run_it) {
      changed = with_phase(changed, active) | (how == withdrawal::taken ? withdrawn : 0);
    } else if ((changed & due) == 0) {
      changed = with_phase(changed, waiting);
    } else {
      changed = with_phase(changed, cancelling) | (elsewhere ? posted : 0);
    }
    // acq_rel: [record:state]
  } while (!record.state.compare_exchange_weak(now, changed, std::memory_order_acq_rel,
                                               std::memory_order_acquire));
  if (run_it) {
    home.enqueue(wait);
  } else if (elsewhere && home.post_node(record)) {
    return;  // the reference goes along
  }
  record.drop_reference();
}

bool task_record::take_cancel() noexcept {
  // relaxed: the due bit carries nothing but itself; the message has its own lock
  return (state.fetch_and(~(due | withdrawn), std::memory_order_relaxed) & due) != 0;
}

std::shared_ptr<const std::string> task_record::cancel_message() const noexcept {
  record_extras* present = more.load(std::memory_order_acquire);  // [record:extras]
  if (present == nullptr) {
    return nullptr;
  }
  const std::scoped_lock guard(present->mutex);
  return present->cancel_message;
}

void task_record::throw_cancelled() {
  // At the first throw nothing is alive that has a destructor: the unwinding need not stop here, and
  // find its way anew.
  if (cancel_message() == nullptr) {
    throw cancelled();
  }
  throw cancelled(cancel_message());
}

void task_record::end() noexcept {
  std::uint32_t now = state.load(std::memory_order_relaxed);  // hint: re-checked
  // relaxed: what the task did is published by release()
  while (!state.compare_exchange_weak(now, with_phase(now, done), std::memory_order_relaxed,
                                      std::memory_order_relaxed)) {
  }
}

bool task_record::ended_cancelled() const noexcept {
  return cancel_is_due() && (root == nullptr || root->result == result_kind::value);
}

bool task_record::join(completion& joiner) noexcept { return joiners_.join(joiner, references_); }

bool task_record::unjoin(completion& joiner) noexcept { return joiners_.unjoin(joiner); }

void task_record::release_held() noexcept {
  completion* first = ops().joinable ? joiners_.take() : nullptr;
  if (references_.release()) {
    HARRIER_ASSERT(first == nullptr);
    ops().destroy(*this);
    return;
  }
  while (first != nullptr) {
    completion* const told = std::exchange(first, first->next);  // once told, it may be gone
    told->notify(*told, *this);
  }
}

void task_record::abandon() noexcept {
  joiners_.forget();
  if (references_.release()) {
    ops().destroy(*this);
  }
}

record_extras& task_record::extras() {
  record_extras* present = more.load(std::memory_order_acquire);  // [record:extras]
  if (present == nullptr) {
    auto fresh = std::make_unique<record_extras>();
    // acq_rel: publishes the fresh one, or sees the other's  [record:extras]
    if (more.compare_exchange_strong(present, fresh.get(), std::memory_order_acq_rel,
                                     std::memory_order_acquire)) {
      present = fresh.release();
    }
  }
  return *present;
}

std::string task_record::name() const {
  if ((state.load(std::memory_order_relaxed) & main) != 0) {  // set at birth
    return std::string(main_name);
  }
  record_extras* present = more.load(std::memory_order_acquire);  // [record:extras]
  return present == nullptr ? std::string() : present->name;
}

}  // namespace harrier::detail
