// SPDX-License-Identifier: Apache-2.0
// The results of a batch on their way to one reader: blocks that each slot fills by itself and hands
// over when they are full, or when its worker has nothing better to do.
//
// Threads     a slot's thread fills its open block; one reader takes; mutex_ guards what lies between.
// Invariant   started and unfinished items, results in open blocks, and results that the reader has
//             not taken are together at most the window: a result keeps its item's place in it.
// Protocol    an item ends: its place stays with the lane (`live`).
//             a block is handed over: the places leave the lane, from `live` and `window` alike.
//             the reader has taken a block's last result: the places go to the batch's rest, together
//             with those of later blocks as long as more than half the window lies before the reader;
//             one by one if the window is small.
//             a reader that waits is told when a quarter of the window lies before it, or when a lane
//             is flushed: its worker has nothing better to do, or has done many steps since.
// Cost        for a result: a move into the block and one out of it. A lock for each block. Both sides
//             wake the other for a part of the window, not for each block (docs/design.md#stream).
#pragma once

#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/suspension.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace harrier::detail {

/// Told once that there is something to take, or that the end has come.
struct stream_waiter {
  void (*notify)(stream_waiter& self) noexcept;
};

/// What is known of a block without the type of its results.
struct result_block {
  result_block* next = nullptr;
  std::uint32_t count = 0;
  std::uint32_t taken = 0;
};

class HARRIER_EXPORT stream_core : public batch_core {
 public:
  using batch_core::batch_core;

  // --- the reader's side
  /// Registers who is told of the next results. False: there are some, or the end has come.
  bool wait_for_results(stream_waiter& waiter) noexcept;
  /// False: it is told, or has been.
  bool stop_waiting(stream_waiter& waiter) noexcept;
  /// The reader has gone: nothing more is to be done.
  void close_stream() noexcept;
  /// Blocks until there is something to take, or the end has come.
  void wait_blocking(const char* call);

 protected:
  ~stream_core() override;

  void prepare(std::size_t slots) override;
  void before_flush(batch_lane& lane) noexcept override;
  void completed() noexcept override;
  void release_inputs() noexcept override {}
  bool may_widen() const noexcept override {
    return outstanding_.load(std::memory_order_relaxed) == 0;  // hint
  }

  std::uint32_t block_size(std::size_t result_bytes) const noexcept;
  result_block*& open_block(const batch_lane& lane) noexcept { return open_[lane.slot].block; }
  /// Null also before prepare().
  result_block* open_block_of(std::size_t slot) noexcept {
    return open_ ? open_[slot].block : nullptr;
  }
  /// Hands the lane's open block to the reader, who is told once there is enough.
  void publish(batch_lane& lane) noexcept;
  /// The reader's next block, or null. Its own until recycle().
  result_block* take_block() noexcept;
  void recycle(result_block& block) noexcept;
  /// An empty block that was used before, or null.
  result_block* reuse_block() noexcept;

 private:
  void tell_reader() noexcept;
  /// That part of the window, in results.
  std::int64_t share_of_window(unsigned parts) const noexcept;

  struct alignas(64) slot_output {
    result_block* block = nullptr;  // the slot's thread only
  };

  std::unique_ptr<slot_output[]> open_;
  std::atomic<std::int64_t> outstanding_{0};  // counter only: places that are with the reader
  std::int64_t kept_ = 0;  // the reader's: places of results that it has taken, and not given back

  std::mutex mutex_;
  result_block* first_ = nullptr;  // guarded by mutex_, like all below
  result_block* last_ = nullptr;
  result_block* unused_ = nullptr;
  stream_waiter* waiter_ = nullptr;
};

/// Waits, in a coroutine, for the next results.
class HARRIER_EXPORT stream_wait : public suspension, private stream_waiter {
 public:
  explicit stream_wait(stream_core& stream) noexcept;

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a batch_stream");
    return publish();
  }

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;

  stream_core* stream_;
};

}  // namespace harrier::detail
