// SPDX-License-Identifier: Apache-2.0
#include "scheduler.hpp"

#include <harrier/detail/seam.hpp>

#include <algorithm>
#include <utility>

namespace harrier::simulated {

namespace {

// Null for every thread of the system but the one that simulates, and there while the scheduler works:
// its own waits and points are none.
constinit thread_local virtual_thread* current_thread = nullptr;
scheduler* running_scheduler = nullptr;

constexpr std::size_t most_switches = 3'000'000;
constexpr std::uint64_t most_points = 500'000'000;
constexpr std::uint64_t time_slice = 20'000;  // in points: who spins lets others run at last
constexpr std::size_t most_lone_yields = 100'000;
constexpr nanoseconds start_of_time = 1'000'000'000'000;
constexpr nanoseconds short_while = 5'000'000;

extern "C" char __executable_start;

}  // namespace

// Nothing of the C++ library here: the linker may have kept a copy of it that calls points.
uninterrupted::uninterrupted() noexcept : self_(current_thread) { current_thread = nullptr; }
uninterrupted::~uninterrupted() { current_thread = self_; }

interruptible::interruptible(const uninterrupted& within) noexcept {
  current_thread = within.thread();
}
interruptible::~interruptible() { current_thread = nullptr; }

}  // namespace harrier::simulated

namespace harrier::detail::seam {

thread_memory::thread_memory() noexcept : self_(simulated::current_thread) {
  simulated::current_thread = nullptr;
}
thread_memory::~thread_memory() {
  simulated::current_thread = static_cast<simulated::virtual_thread*>(self_);
}

std::uint32_t seed() noexcept {
  const simulated::uninterrupted seam;
  return seam.thread() != nullptr
             ? static_cast<std::uint32_t>(simulated::scheduler::instance().random().next())
             : 0;
}

}  // namespace harrier::detail::seam

namespace harrier::simulated {

virtual_thread::virtual_thread(std::size_t number_, stack_memory stack, void (*entry)()) noexcept
    : number(number_), fiber(stack, entry) {}

virtual_thread* scheduler::current() noexcept { return current_thread; }
scheduler& scheduler::instance() noexcept { return *running_scheduler; }

scheduler::scheduler(std::uint64_t seed, std::size_t most_preemptions)
    : random_(seed),
      place_key_(random_.next() | 1),
      place_mask_((std::uint64_t{1} << (1 + random_.below(8))) - 1),
      most_preemptions_(most_preemptions),
      now_(start_of_time) {
  if (random_.one_in(16)) {
    most_preemptions_ = 0;  // some seeds switch only where a thread waits
  }
}

scheduler::~scheduler() {
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each->state == virtual_thread::status::ended) {
      give_stack(each->fiber.stack());
    } else {
      abandon_stack(each->fiber.stack());
    }
  }
}

// --- threads

void scheduler::thread_entry() {
  fiber::begin();
  scheduler& at = instance();
  virtual_thread& self = *at.running_;
  current_thread = &self;
  self.result = self.body();
  current_thread = nullptr;
  self.body = nullptr;
  self.state = virtual_thread::status::ended;
  std::erase(at.ready_, &self);
  at.wake(&self, 1);
  virtual_thread* next = at.draw();
  at.note(next != nullptr ? next->number : ~0u);
  at.running_ = next;
  self.fiber.leave_for(next != nullptr ? next->fiber : at.outside_);
}

virtual_thread& scheduler::create(std::function<void*()> body) {
  recycle();
  auto fresh = std::make_unique<virtual_thread>(made_++, take_stack(), thread_entry);
  fresh->body = std::move(body);
  virtual_thread& thread = *fresh;
  threads_.push_back(std::move(fresh));
  ready_.push_back(&thread);
  return thread;
}

/// Those that have ended and that nobody will ask for.
void scheduler::recycle() noexcept {
  std::erase_if(threads_, [&](const std::unique_ptr<virtual_thread>& each) {
    const bool gone = each->state == virtual_thread::status::ended &&
                      (each->detached || each->joined) && each.get() != running_;
    if (gone) {
      give_stack(each->fiber.stack());
    }
    return gone;
  });
}

virtual_thread* scheduler::find(const void* thread) noexcept {
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each.get() == thread) {
      return each.get();
    }
  }
  return nullptr;
}

virtual_thread* scheduler::holder(const void* mutex) noexcept {
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (std::find(each->held.begin(), each->held.end(), mutex) != each->held.end()) {
      return each.get();
    }
  }
  return nullptr;
}

outcome scheduler::run(std::function<void()> body) {
  running_scheduler = this;
  virtual_thread& first = create([this, &body]() -> void* {
    try {
      body();
    } catch (...) {  // kept for whoever called run()
      error_ = std::current_exception();
    }
    return nullptr;
  });
  first.detached = true;
  running_ = draw();
  outside_.switch_to(running_->fiber);
  running_scheduler = nullptr;
  return outcome_;
}

// --- time

nanoseconds scheduler::now() noexcept {
  now_ += 1 + static_cast<nanoseconds>(random_.below(64));
  return now_;
}

nanoseconds scheduler::first_deadline() const noexcept {
  nanoseconds first = never;
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each->state == virtual_thread::status::blocked) {
      first = std::min(first, each->deadline);
    }
  }
  return first;
}

void scheduler::expire(nanoseconds until) {
  now_ = std::max(now_, until);
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each->state == virtual_thread::status::blocked && each->deadline <= now_) {
      each->state = virtual_thread::status::ready;
      each->timed_out = true;
      ready_.push_back(each.get());
    }
  }
}

// --- who is next

void scheduler::note(std::uint64_t value) noexcept {
  trace_ = (trace_ ^ value ^ static_cast<std::uint64_t>(now_) << 8) * 0x100000001b3u;
}

/// Null: the run is over, and outcome_ says how.
virtual_thread* scheduler::draw() {
  now_ += static_cast<nanoseconds>(random_.below(128));
  const nanoseconds first = first_deadline();
  if (first <= now_) {
    expire(now_);
  } else if (first != never &&
             (ready_.empty() || (first - now_ < short_while && random_.one_in(512)))) {
    expire(first + static_cast<nanoseconds>(random_.below(50'000)));
  }
  if (++switches_ > most_switches) {
    outcome_ = outcome::livelock;
    return nullptr;
  }
  if (ready_.empty()) {
    const bool all_ended = std::all_of(threads_.begin(), threads_.end(), [](const auto& each) {
      return each->state == virtual_thread::status::ended;
    });
    outcome_ = all_ended ? outcome::ended : outcome::deadlock;
    return nullptr;
  }
  return ready_[random_.below(ready_.size())];
}

void scheduler::go_to(virtual_thread* next) {
  slice_began_ = points_;
  virtual_thread& self = *running_;
  note(next != nullptr ? next->number : ~std::uint64_t{0});
  if (next == &self) {
    return;
  }
  running_ = next;
  self.fiber.switch_to(next != nullptr ? next->fiber : outside_);
}

bool scheduler::block(const char* call, const void* address, nanoseconds deadline) {
  virtual_thread& self = *running_;
  lone_yields_ = 0;
  self.state = virtual_thread::status::blocked;
  self.call = call;
  self.address = address;
  self.deadline = deadline;
  self.timed_out = false;
  std::erase(ready_, &self);
  go_to(draw());
  return !self.timed_out;
}

std::size_t scheduler::wake(const void* address, std::size_t count) {
  std::vector<virtual_thread*> waiters;
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each->state == virtual_thread::status::blocked && each->address == address) {
      waiters.push_back(each.get());
    }
  }
  std::size_t woken = 0;
  while (woken < count && !waiters.empty()) {
    const std::size_t pick = random_.below(waiters.size());
    waiters[pick]->state = virtual_thread::status::ready;
    ready_.push_back(waiters[pick]);
    waiters.erase(waiters.begin() + static_cast<std::ptrdiff_t>(pick));
    ++woken;
  }
  return woken;
}

void scheduler::yield() {
  virtual_thread& self = *running_;
  std::erase(ready_, &self);
  if (!ready_.empty()) {
    lone_yields_ = 0;
  } else if (++lone_yields_ < 16 && first_deadline() != never) {
    now_ += 1000;  // then the time jumps
    ready_.push_back(&self);
    return;
  } else if (lone_yields_ > most_lone_yields) {
    ready_.push_back(&self);
    outcome_ = outcome::livelock;
    go_to(nullptr);
  } else if (first_deadline() == never) {
    ready_.push_back(&self);  // alone: it spins for what it finds by itself
    return;
  }
  virtual_thread* next = draw();
  ready_.push_back(&self);
  go_to(next);
}

bool scheduler::picks(const void* where) {
  if (++points_ > most_points) {
    outcome_ = outcome::livelock;
    go_to(nullptr);
  }
  if (points_ - slice_began_ > time_slice) {
    go_to(draw());
    return false;
  }
  if (ready_.size() < 2 || preemptions_.size() >= most_preemptions_) {
    return false;
  }
  const auto place =
      static_cast<std::uint64_t>(static_cast<const char*>(where) - &__executable_start);
  const std::uint64_t mixed = (place ^ place_key_) * 0x9e3779b97f4a7c15u;
  return ((mixed >> 40) & place_mask_) == 0 && random_.one_in(2);
}

void scheduler::preempt(const void* where) {
  virtual_thread* next = draw();
  if (next != nullptr && next != running_) {
    preemptions_.push_back(where);
  }
  go_to(next);
}

}  // namespace harrier::simulated
