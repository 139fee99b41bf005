// SPDX-License-Identifier: Apache-2.0
// How a runtime ends: what is cancelled, what is waited for, and who is told of what will not end.
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/runtime_core.hpp>

#include <algorithm>
#include <chrono>
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

/// Visits every task that has not ended, and of the batch items those that have records. They hold
/// still meanwhile: the visit must not make, end or move one.
template <class Visit>
void runtime_core::for_each_live(Visit visit) {
  const standstill still(slots_);
  {
    const std::scoped_lock guard(lobby_mutex_);
    injected_.for_each(visit);
    for (const std::unique_ptr<worker_slot>& each : slots_) {
      each->addressed().for_each(visit);
    }
  }
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    if (event_loop* loop = each->loop()) {
      loop->live().for_each(visit);
    }
  }
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
  std::vector<batch_core*> batches;
  copy_batches(batches);
  for (batch_core* batch : batches) {
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
  std::vector<std::string> names;
  try {
    for_each_live([&](task_record& record) { names.push_back(record.name()); });
    for (std::string& name : names) {
      lobby_.report(std::string("a task ") + what, nullptr, std::move(name));
    }
  } catch (const std::bad_alloc&) {  // then they stay unnamed
  }
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

bool runtime_core::drain(std::chrono::steady_clock::time_point deadline) {
  blocking_wait::refuse_in_loop("runtime::drain");
  for (std::chrono::microseconds pause{20}; !at_rest();
       pause = std::min(2 * pause, std::chrono::microseconds(2000))) {
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(pause);
  }
  return true;
}

void runtime_core::stop() {
  {
    const std::scoped_lock guard(mutex_);
    const std::scoped_lock lobby(lobby_mutex_);
    refusing_ = true;
    stopped_.store(true, std::memory_order_release);  // [core:stopped]
    room_.notify_all();
  }
  if (here() != nullptr) {
    // From inside a loop there is no waiting for it: the caller is cancelled like everything else,
    // and whoever destroys or stops the runtime from outside waits.
    cancel_everything();
    return;
  }
  const std::scoped_lock once(stop_mutex_);
  // A batch that is being handed in when we begin is either refused or found here.
  cancel_everything();
  const auto patience = deadline_after(std::chrono::steady_clock::now(), options_.grace);
  const auto patience_on_clock = deadline_after(clock_->now(), options_.grace);
  bool named = false;
  for (std::chrono::microseconds pause{20}; !at_rest();
       pause = std::min(2 * pause, std::chrono::microseconds(1000))) {
    std::this_thread::sleep_for(pause);
    cancel_everything();
    if (std::chrono::steady_clock::now() < patience && clock_->now() < patience_on_clock) {
      continue;
    }
    if (!std::exchange(named, true)) {
      name_live("ignores its cancel while the runtime stops");
    }
    for_each_live([](task_record& record) { record.cancel(nullptr); });
  }
  ending_.store(true, std::memory_order_seq_cst);  // [core:ending] before the wakes below
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
    }
  }
  frame_cache::trim_depots();
}

}  // namespace harrier::detail
