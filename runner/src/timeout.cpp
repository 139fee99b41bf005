// SPDX-License-Identifier: Apache-2.0
#include <harrier/timeout.hpp>

#include <harrier/event_loop.hpp>

#include <new>

namespace harrier::detail {

const ready_operations timeout_timer::operations_table{timeout_timer::arrive, nullptr, nullptr,
                                                       false, timeout_timer::expire};

timeout_timer::~timeout_timer() {
  // Still set only if the coroutine is destroyed where it waits, which its loop does.
  if (home_ != nullptr && index != not_in_heap) {
    home_->timers().remove(*this);
  }
}

void timeout_timer::arm(task_record& task, std::optional<duration> limit) {
  if (state() != phase::fresh) {
    throw timeout_misuse("timeout_scope has already been entered");
  }
  event_loop& loop = this_loop();
  const time_point now = loop.now();
  const time_point deadline = limit ? deadline_after(now, *limit) : when();
  set_when(deadline);
  cancel_.enter(task);
  record = &task;
  home_ = &loop;
  if (deadline <= now) {
    expire_now();  // delivered at the first suspension
    return;
  }
  place(deadline);
  phase_.store(phase::active, std::memory_order_release);  // [timeout:phase]
}

void timeout_timer::place(time_point deadline) {
  if (index != not_in_heap) {
    home_->timers().remove(*this);
  }
  if (deadline != time_point::max()) {
    set_for_ = deadline;
    home_->timers().insert(*this, deadline);
  }
}

void timeout_timer::expire_now() noexcept {
  phase_.store(phase::expiring, std::memory_order_release);  // [timeout:phase]
  cancel_.fire();
}

void timeout_timer::expire(ready_node& node) noexcept {
  auto& self = static_cast<timeout_timer&>(node);
  const time_point deadline = self.when();
  if (deadline > self.set_for_) {  // moved by another thread, whose word is still on its way
    try {
      self.place(deadline);
      return;
    } catch (const std::bad_alloc&) {  // no timer: rather too early than never
    }
  }
  self.expire_now();
}

void timeout_timer::reschedule(time_point deadline) {
  switch (state()) {
    case phase::fresh:
      throw timeout_misuse("timeout_scope has not been entered");
    case phase::expiring:
      throw timeout_misuse("timeout_scope is expiring");
    case phase::expired:
      throw timeout_misuse("timeout_scope has expired");
    case phase::finished:
      throw timeout_misuse("timeout_scope is finished");
    case phase::active:
      break;
  }
  set_when(deadline);
  execution* at = here();
  if (at == nullptr || at->loop != home_) {
    send(0);
  } else if (deadline <= home_->now()) {
    place(time_point::max());
    expire_now();
  } else {
    place(deadline);
  }
}

bool timeout_timer::send(std::uint32_t what) noexcept {
  // acq_rel: what was written before is visible to arrive(), and what it did to us  [timeout:mail]
  const std::uint32_t before = mail_.fetch_or(what | posted, std::memory_order_acq_rel);
  return (before & posted) != 0 || home_->post_node(*this);
}

void timeout_timer::arrive(ready_node& node, execution& /*at*/) {
  auto& self = static_cast<timeout_timer&>(node);
  const std::uint32_t what = self.mail_.exchange(0, std::memory_order_acq_rel);  // [timeout:mail]
  if ((what & retrieve) != 0) {
    self.home_->timers().remove(self);
    self.resume_at_->enqueue(*self.leaver_);  // the scope may be gone now
  } else if (self.state() == phase::active) {
    self.place(self.when());
  }
}

bool timeout_timer::disarm() noexcept {
  // acquire: a timer that has come back from elsewhere  [timeout:mail]
  if (mail_.load(std::memory_order_acquire) != 0 || here()->loop != home_) {
    return false;
  }
  home_->timers().remove(*this);
  return true;
}

bool timeout_timer::post_retrieval(suspension& leaver) noexcept {
  leaver_ = &leaver;
  resume_at_ = here()->loop;
  return send(retrieve);
}

bool timeout_timer::leave() noexcept {
  const bool has_come = cancel_.has_fired();
  phase_.store(has_come ? phase::expired : phase::finished,
               std::memory_order_release);  // [timeout:phase]
  return cancel_.leave();
}

}  // namespace harrier::detail
