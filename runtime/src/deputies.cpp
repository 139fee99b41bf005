// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/deputies.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <thread>
#include <utility>

namespace harrier::detail {

namespace {

/// What a step has in the loop's execution, out of the way of other steps.
class interrupted_step {
 public:
  explicit interrupted_step(execution& at) noexcept
      : at_(at),
        eager_steps_(std::exchange(at.eager_steps, 0)),
        context_(std::exchange(at.context, nullptr)) {
    HARRIER_ASSERT(!at.bounced && at.finished == nullptr &&
                   "while a coroutine runs, both are empty");
  }
  ~interrupted_step() {
    at_.eager_steps = eager_steps_;
    at_.context = context_;
  }
  interrupted_step(const interrupted_step&) = delete;
  interrupted_step& operator=(const interrupted_step&) = delete;

 private:
  execution& at_;
  std::uint32_t eager_steps_;
  context_word* context_;
};

}  // namespace

void deputies::wait_for(const promise_base& child) noexcept {
  turn* next = turns_.take_anyone();
  if (next == nullptr) {
    try {
      next = &make_deputy();
    } catch (...) {  // no thread, or no memory for one
      next = help_until_someone_comes(child);
    }
  }
  if (next == nullptr) {
    return;
  }
  const interrupted_step step(slot_.runner().loop().execution());
  turns_.wait_for(child.join, *next);
  slot_.note_thread();
}

/// What the child waits for runs on top of this step. What comes to wait for this step there, waits until
/// another thread can have the slot. Null: the child has ended.
turn* deputies::help_until_someone_comes(const promise_base& child) noexcept {
  while (!child.join.has_ended()) {
    if (turn* next = turns_.take_anyone()) {
      return next;
    }
    if (!slot_.help()) {
      std::this_thread::yield();
    }
  }
  return nullptr;
}

void deputies::attend() noexcept {
  while (turn* next = turns_.take_one_to_go_on()) {
    turns_.step_aside(*next);
    slot_.note_thread();
  }
}

/// Throws std::bad_alloc, std::system_error, and what the user's factory throws.
turn& deputies::make_deputy() {
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
  self.start.await();
  if (ends_) {
    return;
  }
  const running_scope running(slot_.runner().loop().execution());
  do {
    slot_.note_thread();
    turn& next = serve_until_wanted();
    if (turns_.idle() == most_idle) {
      self.has_left = true;
      next.give();
      return;
    }
    turns_.idle(next);
  } while (!ends_);
}

/// Gives who has the slot next.
turn& deputies::serve_until_wanted() noexcept {
  for (;;) {
    if (turn* next = turns_.take_wanted()) {
      return *next;
    }
    slot_.serve_for_others();
  }
}

void deputies::close() noexcept {
  ends_ = true;
  while (turn* each = turns_.take_idle()) {
    each->give();
  }
  for (deputy& each : deputies_) {
    each.thread.join();
  }
  deputies_.clear();
}

}  // namespace harrier::detail
