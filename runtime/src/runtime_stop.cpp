// SPDX-License-Identifier: Apache-2.0
// How a runtime ends: what is cancelled, what is waited for, and who is told of what will not end.
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace harrier::detail {

namespace {

/// No task moves from one slot or queue to another meanwhile.
class standstill {
 public:
  explicit standstill(std::span<const std::unique_ptr<worker_slot>> slots) noexcept
      : slots_(slots) {
    for (const std::unique_ptr<worker_slot>& each : slots_) {
      each->moving().lock();
    }
  }
  ~standstill() {
    for (const std::unique_ptr<worker_slot>& each : slots_) {
      each->moving().unlock();
    }
  }
  standstill(const standstill&) = delete;
  standstill& operator=(const standstill&) = delete;

 private:
  std::span<const std::unique_ptr<worker_slot>> slots_;
};

}  // namespace

/// Visits every task that has not ended, and of the batch items those that have records, with the slot
/// that it is at, or is on its way to. They hold still meanwhile: the visit must not make, end or move
/// one.
template <class Visit>
void runtime_core::for_each_placed(Visit visit) {
  const standstill still(slots_);
  for_each_listed(visit);
}

/// The same, and the items that have given way and have no record yet. Throws std::bad_alloc.
template <class Visit>
void runtime_core::for_each_named(Visit visit) {
  const standstill still(slots_);
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    each->record_those_given_way();
  }
  for_each_listed(visit);
}

/// While no task moves.
template <class Visit>
void runtime_core::for_each_listed(Visit visit) {
  {
    const std::scoped_lock guard(lobby_mutex_);
    injected_.for_each([&](task_record& record) { visit(record, std::nullopt); });
    for (const std::unique_ptr<worker_slot>& each : slots_) {
      each->addressed().for_each([&](task_record& record) { visit(record, each->index()); });
    }
  }
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    if (event_loop* loop = each->loop()) {
      loop->live().for_each([&](task_record& record) { visit(record, each->index()); });
    }
  }
}

template <class Visit>
void runtime_core::for_each_live(Visit visit) {
  for_each_placed(
      [&](task_record& record, std::optional<std::size_t> /*worker*/) { visit(record); });
}

void runtime_core::add_all_live(examination& to) {
  for_each_named(
      [&](task_record& record, std::optional<std::size_t> worker) { to.add(record, worker); });
}

void runtime_core::cancel_items(batch_core& batch) noexcept {
  for_each_live([&](task_record& record) {
    promise_base* root = record.root;
    if (root != nullptr && root->started_as == role::item && root->owner == &batch) {
      record.cancel(nullptr);
    }
  });
}

void runtime_core::cancel_everything() noexcept {
  // Without a copy, which needs memory.
  auto place = std::numeric_limits<std::size_t>::max();
  while (batch_core* batch = batch_before(place)) {
    batch->cancel();
    batch->drop_reference();
  }
  for_each_live([](task_record& record) {
    if (!record.was_cancelled()) {
      record.cancel(nullptr);
    }
  });
}

void runtime_core::name_live(const char* what) noexcept {
  // Collected first: the handler runs code of the user's, which must not find the lists locked.
  std::vector<error_report> reports;
  try {
    const std::string message = std::string("a task ") + what;
    for_each_named([&](task_record& record, std::optional<std::size_t> /*worker*/) {
      reports.push_back(describe(record, message));
    });
  } catch (const std::bad_alloc&) {  // then the rest stays unnamed
  }
  for (error_report& each : reports) {
    lobby_.report(std::move(each));
  }
}

std::vector<task_ref> runtime_core::all_tasks() {
  std::vector<task_ref> found;
  for_each_named([&](task_record& record, std::optional<std::size_t> /*worker*/) {
    found.emplace_back(record);
  });
  return found;
}

std::string runtime_core::name_of_running(const void* context) {
  std::string name;
  for_each_live([&](task_record& record) {
    if (static_cast<const void*>(&record.context) == context) {
      name = record.name();
    }
  });
  return name;
}

std::uint64_t runtime_core::live_tasks() noexcept {
  const standstill still(slots_);
  std::uint64_t live = injected_.size();
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    live += each->addressed().size();
    if (event_loop* loop = each->loop()) {
      live += loop->live().size();
    }
  }
  return live;
}

bool runtime_core::at_rest() noexcept {
  {
    const std::scoped_lock guard(mutex_);
    if (!batches_.empty()) {
      return false;
    }
  }
  if (live_tasks() != 0) {
    return false;
  }
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    event_loop* loop = each->loop();
    // acquire: [loop:ending] what the frames held has gone, and the counts say so
    if (loop != nullptr && loop->execution().ending.load(std::memory_order_acquire) != 0) {
      return false;
    }
  }
  return true;
}

void runtime_core::tell_resting() noexcept {
  rest_epoch_.fetch_add(1, std::memory_order_release);  // [core:rest_epoch]
  futex_wake(rest_epoch_, std::numeric_limits<int>::max());
}

/// Until nothing is left to do, some worker has had nothing to do, or the deadline. True: at rest.
bool runtime_core::wait_for_rest(std::chrono::steady_clock::time_point deadline) {
  // A worker that spins in a search, or has been stopped by the system, is looked after this often.
  constexpr std::chrono::milliseconds longest_sleep{100};
  resting_.fetch_add(1, std::memory_order_seq_cst);  // [core:resting] before the look
  // acquire: whatever ended before the epoch is seen by the look  [core:rest_epoch]
  const std::uint32_t epoch = rest_epoch_.load(std::memory_order_acquire);
  const bool rests = at_rest();
  if (!rests) {
    futex_wait(rest_epoch_, epoch,
               std::min(deadline, std::chrono::steady_clock::now() + longest_sleep));
  }
  resting_.fetch_sub(1, std::memory_order_relaxed);  // a waker that misses it wakes nobody
  return rests;
}

bool runtime_core::drain(std::chrono::steady_clock::time_point deadline) {
  blocking_wait::refuse_in_loop("runtime::drain");
  const auto since = std::chrono::steady_clock::now();
  auto next_look = wait_watch::next_look(since, since);
  while (!wait_for_rest(std::min(deadline, next_look))) {
    const auto now = std::chrono::steady_clock::now();
    if (now >= deadline) {
      return at_rest();
    }
    if (now >= next_look) {
      wait_watch::tell_overdue(since, now);
      next_look = wait_watch::next_look(since, now);
    }
  }
  return true;
}

void runtime_core::refuse_work() noexcept {
  const std::scoped_lock guard(mutex_);
  const std::scoped_lock lobby(lobby_mutex_);
  refusing_ = true;
  stopped_.store(true, std::memory_order_release);  // [core:stopped]
  room_.notify_all();
}

/// Names what has not ended, once, and cancels it again.
void runtime_core::insist(const char* what) noexcept {
  if (!has_named_.exchange(true, std::memory_order_relaxed)) {  // carries nothing else
    name_live(what);
  }
  for_each_live([](task_record& record) { record.cancel(nullptr); });
}

void runtime_core::stop(const close_options& how) {
  if (here() != nullptr) {
    refuse_work();
    // From inside a loop there is no waiting for it: the caller is cancelled like everything else,
    // and whoever destroys or stops the runtime from outside waits.
    cancel_everything();
    return;
  }
  const std::scoped_lock once(stop_mutex_);
  const duration limit = how.total(options_.grace);
  const auto start = std::chrono::steady_clock::now();
  const auto patience = deadline_after(start, limit);
  const auto patience_on_clock = deadline_after(clock_->now(), limit);
  if (how.drain > duration::zero() && !is_stopped()) {
    drain(std::min(patience, deadline_after(start, how.drain)));
  }
  refuse_work();
  // A batch that is being handed in when we begin is either refused or found here. Each time that a
  // worker has nothing to do we look again: tasks that ended may have spawned others.
  cancel_everything();
  auto look_at = patience;
  while (!wait_for_rest(look_at)) {
    cancel_everything();
    const auto now = std::chrono::steady_clock::now();
    if (now >= patience || clock_->now() >= patience_on_clock) {
      insist("ignores its cancel while the runtime stops");
      look_at = now + std::chrono::milliseconds(1);
    }
  }
  {
    const std::scoped_lock guard(
        mutex_);  // whoever makes a thread under it has done so, or sees it
    ending_.store(true, std::memory_order_seq_cst);  // [core:ending] before the wakes below
  }
  if (provider_) {
    vacate_all();
  }
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    if (each->thread_.joinable()) {
      while (each->loop() == nullptr) {
        std::this_thread::yield();  // the thread is only just starting
      }
      each->loop()->parker().unpark();
      each->thread_.join();
      each->deputies_.close();
    }
  }
  std::unique_ptr<stall_watch> watch;
  {
    const std::scoped_lock guard(mutex_);  // metrics() looks
    watch = std::move(stall_watch_);
  }
  watch.reset();  // joins a thread that may be about to ask for metrics
  dump_handler_.reset();
  handlers_.reset();
  frame_cache::trim_depots();
}

// --- signals

runtime_core::pressed_runtime::pressed_runtime(runtime_core& of) noexcept
    : press_target(
          [](press_target& self) noexcept {
            static_cast<pressed_runtime&>(self).core.wake_in_handler();
          },
          [](press_target& self) noexcept {
            static_cast<pressed_runtime&>(self).core.deliver_press();
          }),
      core(of) {}

void runtime_core::wake_in_handler() noexcept {
  if (provider_) {
    return;  // its slots are woken by more than a system call: somebody blocks, or steps
  }
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    each->wake_in_handler();
  }
}

void runtime_core::take_signals() {
  if (options_.handle_signals != signals::none && !handlers_) {
    handlers_.emplace(presses_, options_.handle_signals);
  }
  if (options_.dump_signal != 0 && !dump_handler_) {
    dump_handler_.emplace(dumps_, options_.dump_signal);
  }
}

void runtime_core::deliver_press() noexcept {
  const std::uint32_t presses = presses_.take();
  if (presses == 0) {
    return;  // somebody else has them
  }
  const bool first = !was_pressed_.exchange(true, std::memory_order_relaxed);  // its own order
  if (first) {
    refuse_work();
    cancel_everything();
  }
  insist_later(first && presses == 1 ? options_.grace : duration::zero());
}

/// On the clock of a worker, and again until nothing is left. stop() may come meanwhile.
void runtime_core::insist_later(duration delay) noexcept {
  constexpr std::chrono::milliseconds pause{10};
  const auto look = [this, pause] {
    if (!is_ending() && !at_rest()) {
      insist("has not stopped after a signal");
      insist_later(pause);
    }
  };
  try {
    worker_slot* here_at = this_slot();
    if (here_at != nullptr && &here_at->core() == this) {
      here_at->loop()->call_later(delay, look);
      return;
    }
    for (const std::unique_ptr<worker_slot>& each : slots_) {
      if (event_loop* loop = each->loop()) {
        loop->post([loop, delay, look] { loop->call_later(delay, look); });
        return;
      }
    }
  } catch (...) {  // no memory for a timer, or the end: stop() does what it would have done
  }
}

}  // namespace harrier::detail
