// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/task_record.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/detail/spin_wait.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/event_loop.hpp>

#include <mutex>
#include <new>
#include <utility>

namespace harrier::detail {

namespace {

constexpr std::uintptr_t joiners_told = 1;
constexpr std::uintptr_t joiners_locked = 2;

}  // namespace

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

void task_record::arrive_cancel(task_record& record, execution& at) {
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
  suspension& node = *record.wait;
  event_loop& home = *record.home.load(std::memory_order_relaxed);
  const bool elsewhere = &home != at.loop;
  const withdrawal how = elsewhere ? withdrawal::too_late : node.operations->withdraw(node);
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
    home.enqueue(node);
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

std::uintptr_t task_record::lock_joiners() noexcept {
  std::uintptr_t now = joiners_.load(std::memory_order_acquire);  // [record:joiners]
  for (unsigned spins = 0; now != joiners_told; ++spins) {
    // acquire: whoever unlocked has written the links of the joiners  [record:joiners]
    if ((now & joiners_locked) == 0 &&
        joiners_.compare_exchange_weak(now, now | joiners_locked, std::memory_order_acquire,
                                       std::memory_order_acquire)) {
      break;
    }
    spin_wait(spins);
    now = joiners_.load(std::memory_order_acquire);  // [record:joiners]
  }
  return now;
}

bool task_record::join(completion& joiner) noexcept {
  std::uintptr_t now = joiners_.load(std::memory_order_acquire);  // [record:joiners]
  for (unsigned spins = 0; now != joiners_told; ++spins) {
    if ((now & joiners_locked) == 0) {
      joiner.next = reinterpret_cast<completion*>(now);
      // release: the joiner's fields are visible to take_joiners(); acquire: a failed join sees the
      // result  [record:joiners]
      if (joiners_.compare_exchange_weak(now, reinterpret_cast<std::uintptr_t>(&joiner),
                                         std::memory_order_acq_rel, std::memory_order_acquire)) {
        return true;
      }
    } else {
      spin_wait(spins);
      now = joiners_.load(std::memory_order_acquire);  // [record:joiners]
    }
  }
  for (unsigned spins = 0; !is_done(); ++spins) {
    spin_wait(spins);  // release_held() is between its two steps
  }
  return false;
}

bool task_record::unjoin(completion& joiner) noexcept {
  const std::uintptr_t latest = lock_joiners();
  if (latest == joiners_told) {
    return false;
  }
  auto* first = reinterpret_cast<completion*>(latest);
  completion** link = &first;
  while (*link != nullptr && *link != &joiner) {
    link = &(*link)->next;
  }
  if (*link != nullptr) {  // else the task was destroyed where it waited, and has forgotten us
    *link = joiner.next;
  }
  // release: unlocks  [record:joiners]
  joiners_.store(reinterpret_cast<std::uintptr_t>(first), std::memory_order_release);
  return true;
}

/// The joiners, the first to come first. From here on join() refuses.
completion* task_record::take_joiners() noexcept {
  std::uintptr_t now = joiners_.load(std::memory_order_relaxed);  // hint: re-checked
  // acq_rel: pairs with join() and unjoin() both ways  [record:joiners]
  for (unsigned spins = 0;; ++spins) {
    if ((now & joiners_locked) == 0) {
      if (joiners_.compare_exchange_weak(now, joiners_told, std::memory_order_acq_rel,
                                         std::memory_order_relaxed)) {
        break;
      }
    } else {
      spin_wait(spins);
      now = joiners_.load(std::memory_order_relaxed);  // hint: re-checked
    }
  }
  completion* first = nullptr;
  for (auto* joiner = reinterpret_cast<completion*>(now); joiner != nullptr;) {
    completion* const earlier = std::exchange(joiner->next, first);
    first = std::exchange(joiner, earlier);
  }
  return first;
}

void task_record::release_held() noexcept {
  completion* first = ops().joinable ? take_joiners() : nullptr;
  // acq_rel: publishes the result  [record:done]; and as in drop_reference()  [record:references]
  if (references_.fetch_sub(tasks_own, std::memory_order_acq_rel) == tasks_own) {
    HARRIER_ASSERT(first == nullptr);
    ops().destroy(*this);
    return;
  }
  // Each joiner holds a reference until it is told.
  while (first != nullptr) {
    completion* const later = first->next;  // before it is told: it may be gone then
    first->notify(*first, *this);
    first = later;
  }
}

void task_record::abandon() noexcept {
  // relaxed: there is nobody to see the joiners
  joiners_.store(0, std::memory_order_relaxed);
  // acq_rel: as in release_held()
  if (references_.fetch_sub(tasks_own, std::memory_order_acq_rel) == tasks_own) {
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
