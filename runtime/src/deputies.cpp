// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/deputies.hpp>

#include <harrier/detail/parker.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <chrono>
#include <coroutine>
#include <thread>
#include <utility>

namespace harrier::detail {

namespace {

/// What a step that is interrupted leaves in the loop's execution, out of the way of other steps.
class interrupted_step {
 public:
  explicit interrupted_step(execution& at) noexcept
      : at_(at),
        bounced_(std::exchange(at.bounced, nullptr)),
        finished_(std::exchange(at.finished, nullptr)),
        eager_steps_(std::exchange(at.eager_steps, 0)),
        context_(std::exchange(at.context, nullptr)) {}
  ~interrupted_step() {
    at_.bounced = bounced_;
    at_.finished = finished_;
    at_.eager_steps = eager_steps_;
    at_.context = context_;
  }
  interrupted_step(const interrupted_step&) = delete;
  interrupted_step& operator=(const interrupted_step&) = delete;

 private:
  execution& at_;
  std::coroutine_handle<> bounced_;
  task_record* finished_;
  std::uint32_t eager_steps_;
  context_word* context_;
};

}  // namespace

void deputies::turn::give() noexcept {
  const std::atomic<std::uint32_t>& word = given_;
  given_.store(1, std::memory_order_release);  // [turn:given]
  // Whoever had this turn may be gone by now: a wake needs no more than an address.
  futex_wake(word, 1);
}

void deputies::turn::await() noexcept {
  while (given_.load(std::memory_order_acquire) == 0) {  // [turn:given]
    futex_wait(given_, 0, std::chrono::steady_clock::time_point::max());
  }
}

/// `self` is in a list already, for somebody to find.
void deputies::pass(sleeper& to, sleeper& self) noexcept {
  to.its.give();
  self.its.await();
  slot_.note_thread();
}

void deputies::wait_for(const promise_base& child) noexcept {
  sleeper* to = take_anyone();
  if (to == nullptr) {
    try {
      to = &make_deputy();
    } catch (...) {  // no thread, or no memory for one
      to = help_until_someone_comes(child);
    }
  }
  if (to == nullptr) {
    return;
  }
  const interrupted_step step(slot_.runner().loop().execution());
  sleeper self;
  self.child = &child;
  *last_ = &self;
  last_ = &self.next;
  pass(*to, self);
}

/// What the child waits for runs on top of this step. What comes to wait for this step there, waits until
/// another thread can have the slot. Null: the child has ended.
deputies::sleeper* deputies::help_until_someone_comes(const promise_base& child) noexcept {
  while (!child.join.has_ended()) {
    if (sleeper* to = take_anyone()) {
      return to;
    }
    if (!slot_.help()) {
      std::this_thread::yield();
    }
  }
  return nullptr;
}

void deputies::attend() noexcept {
  while (sleeper* to = take_one_to_go_on()) {
    sleeper self;
    principal_ = &self;
    pass(*to, self);
  }
}

/// Null: nobody is there.
deputies::sleeper* deputies::take_anyone() noexcept {
  sleeper* const wanted = take_wanted();
  return wanted != nullptr ? wanted : take_idle();
}

/// Whose turn comes before that of a deputy who has nothing but the slot's work to do.
deputies::sleeper* deputies::take_wanted() noexcept {
  return principal_ != nullptr ? std::exchange(principal_, nullptr) : take_one_to_go_on();
}

deputies::sleeper* deputies::take_one_to_go_on() noexcept {
  for (sleeper** at = &first_; *at != nullptr; at = &(*at)->next) {
    sleeper* const each = *at;
    if (each->child->join.has_ended()) {
      *at = each->next;
      if (last_ == &each->next) {
        last_ = at;
      }
      return each;
    }
  }
  return nullptr;
}

deputies::sleeper* deputies::take_idle() noexcept {
  sleeper* const one = idle_;
  if (one != nullptr) {
    idle_ = one->next;
    --idle_count_;
  }
  return one;
}

/// Throws std::bad_alloc, std::system_error, and what the user's factory throws.
deputies::sleeper& deputies::make_deputy() {
  deputies_.remove_if([](deputy& each) {
    if (each.has_left) {
      each.thread.join();
    }
    return each.has_left;
  });
  deputy& made = deputies_.emplace_back();
  try {
    made.thread = slot_.core().make_thread(slot_, [this, &made] { serve(made); });
  } catch (...) {  // undone and passed on
    deputies_.pop_back();
    throw;
  }
  started_.fetch_add(1, std::memory_order_relaxed);  // counter only
  return made.start;
}

void deputies::serve(deputy& self) noexcept {
  self.start.its.await();
  if (ends_) {
    return;
  }
  const running_scope running(slot_.runner().loop().execution());
  do {
    slot_.note_thread();
    sleeper& next = serve_until_wanted();
    if (idle_count_ == most_idle) {
      self.has_left = true;
      next.its.give();
      return;
    }
    sleeper idle;
    idle.next = std::exchange(idle_, &idle);
    ++idle_count_;
    pass(next, idle);
  } while (!ends_);
}

/// Gives who has the slot next.
deputies::sleeper& deputies::serve_until_wanted() noexcept {
  for (;;) {
    if (sleeper* next = take_wanted()) {
      return *next;
    }
    slot_.serve_for_others();
  }
}

void deputies::close() noexcept {
  ends_ = true;
  while (sleeper* each = take_idle()) {
    each->its.give();
  }
  for (deputy& each : deputies_) {
    each.thread.join();
  }
  deputies_.clear();
}

}  // namespace harrier::detail
