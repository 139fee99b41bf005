// SPDX-License-Identifier: Apache-2.0
// Whoever is told which items of a batch have completed, so that a later run can leave them out.
//
// Items that end one after the other on one worker are a run: the worker moves its end past each of them,
// by a store to a line of its own, and whoever saves reads it meanwhile. So an item costs a store, a chunk
// nothing, and what has ended is known at once, even in a chunk that takes for ever.
#pragma once

#include <harrier/index_set.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace harrier::detail {

class completion_run;

class HARRIER_EXPORT completion_recorder {
 public:
  completion_recorder() noexcept = default;
  completion_recorder(const completion_recorder&) = delete;
  completion_recorder& operator=(const completion_recorder&) = delete;
  virtual ~completion_recorder();

  /// A batch of `total` items is about to start on `slots` slots. Gives those that have completed
  /// before. What it throws is thrown by dispatch(), and nothing starts.
  virtual index_set begin(std::uint64_t total, std::size_t slots) = 0;
  /// These have completed. On the slot's thread, before the batch counts them: when it is done, all
  /// have been told.
  virtual void completed(std::size_t slot, index_range items) noexcept = 0;

  // --- for completion_run
  /// Until close(), what `run` has may be read at any time.
  virtual void open(std::size_t slot, completion_run& run) noexcept = 0;
  /// What `run` has is kept, and it goes on with `index`.
  virtual void move(std::size_t slot, completion_run& run, std::uint64_t index) noexcept = 0;
  /// What `run` has is kept, and it is not read any more.
  virtual void close(std::size_t slot, completion_run& run) noexcept = 0;
};

/// Items that complete one after the other on one worker.
///
/// Threads   one adds, that of the slot; another reads items() under the recorder's lock, which is held
///           for whatever makes them fewer.
/// Lifetime  the recorder is there as long as the batch is not done. So whoever calls go_on_with() has an
///           item that has not been counted.
class completion_run {
 public:
  completion_run() noexcept = default;  // of a batch without a recorder: nobody reads it
  completion_run(completion_recorder* to, std::size_t slot) noexcept : to_(to), slot_(slot) {}
  completion_run(const completion_run&) = delete;
  completion_run& operator=(const completion_run&) = delete;

  /// The next item to complete is `index`, unless that changes.
  void go_on_with(std::uint64_t index) noexcept {
    // relaxed, and below: this thread alone writes both
    const std::uint64_t last = last_.load(std::memory_order_relaxed);
    if (to_ == nullptr || index == last) {
      return;
    }
    if (index < last || first_.load(std::memory_order_relaxed) != last) {
      to_->move(slot_, *this, index);
      return;
    }
    // Empty before and after: whoever sees the new end sees the new beginning or a later one.
    first_.store(index, std::memory_order_relaxed);
    last_.store(index, std::memory_order_release);  // [completion_run:last]
  }

  /// The item `index` has completed: the one that was next.
  void add(std::uint64_t index) noexcept {
    // release: what the item did, above all the output that it handed in, comes before
    last_.store(index + 1, std::memory_order_release);  // [completion_run:last]
  }

  /// What there is, of one that was never opened.
  void tell() noexcept {
    if (to_ != nullptr && !items().empty()) {
      to_->completed(slot_, items());
    }
  }

  // --- the recorder's side, under its lock
  index_range items() const noexcept {
    // acquire: what they did happened before; and the beginning is the one of this end, or a later one
    const std::uint64_t last = last_.load(std::memory_order_acquire);  // [completion_run:last]
    return index_range(first_.load(std::memory_order_relaxed), last);
  }
  /// Empty, at `index`. On the thread that adds.
  void restart(std::uint64_t index) noexcept {
    // relaxed: whoever reads holds the lock
    first_.store(index, std::memory_order_relaxed);
    last_.store(index, std::memory_order_relaxed);
  }
  completion_run* next = nullptr;

 private:
  completion_recorder* to_ = nullptr;
  std::size_t slot_ = 0;
  std::atomic<std::uint64_t> first_{0};
  std::atomic<std::uint64_t> last_{0};
};

/// The runs of one slot in one batch, open as long as they live or until close().
class alignas(64) slot_runs {
 public:
  slot_runs(completion_recorder& to, std::size_t slot) noexcept
      : started(&to, slot), resumed(&to, slot), to_(&to), slot_(slot) {
    to.open(slot, started);
    to.open(slot, resumed);
  }
  slot_runs(const slot_runs&) = delete;
  slot_runs& operator=(const slot_runs&) = delete;
  ~slot_runs() { close(); }

  /// By whoever knows that no item completes any more.
  void close() noexcept {
    if (to_ != nullptr) {
      to_->close(slot_, started);
      to_->close(slot_, resumed);
      to_ = nullptr;
    }
  }

  completion_run started;  // of the items that ended in the step that started them
  completion_run resumed;  // of those that had suspended
  bool is_in_chunk =
      false;  // the slot's thread only: `started` belongs to a chunk that has not ended

 private:
  completion_recorder* to_;
  std::size_t slot_;
};

}  // namespace harrier::detail
