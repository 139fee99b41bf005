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
// Cost        for a result: a move into the block and one out of it. A lock for each block on the workers'
//             side, for up to 16 on the reader's. Both sides wake the other for a part of the window, not
//             for each block, and what they write lies on different lines (docs/design.md#stream).
#pragma once

#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/spin_mutex.hpp>
#include <harrier/detail/suspension.hpp>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace harrier::detail {

/// Told once that there is something to take, or that the end has come.
struct stream_waiter {
  void (*notify)(stream_waiter& self) noexcept;
};

/// What is known of a block without the type of its results. On a line of its own, which the results
/// follow: the reader is at another block meanwhile.
struct alignas(64) result_block {
  explicit result_block(std::uint32_t most) noexcept : room(most) {}
  std::uint32_t count = 0;
  const std::uint32_t room;
};

class HARRIER_EXPORT stream_core : public batch_core {
 public:
  using batch_core::batch_core;
  static constexpr bool results_take_room = true;

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
  bool is_reader_behind() const noexcept override {
    return outstanding_.load(std::memory_order_relaxed) > 0;  // hint
  }
  bool is_reader_bound() const noexcept override { return true; }
  bool may_widen() const noexcept override {
    return outstanding_.load(std::memory_order_relaxed) == 0;  // hint
  }

  std::uint32_t block_size(std::size_t result_bytes) const noexcept;
  /// Null, or with room.
  result_block*& open_block(const batch_lane& lane) noexcept { return open_[lane.slot].block; }
  /// Hands over what is in the open block, and opens another if there is one.
  void publish(batch_lane& lane) noexcept;
  /// An empty block that was used before, or null.
  result_block* reuse_block() noexcept;
  /// One block more is to be made. Throws std::bad_alloc.
  void expect_block();

  /// The reader's next block, or null. Its own until recycle().
  result_block* take_block() noexcept;
  /// Whether take_block() need not ask the workers.
  bool has_block_at_hand() const noexcept { return hand_first_ != hand_last_; }
  void recycle(result_block& block) noexcept;
  /// Any block, wherever it is; null: there is none. For the destructor.
  result_block* remove_block() noexcept;

 private:
  static constexpr std::size_t most_at_once = 16;  // blocks for one lock of the reader's

  void tell_reader() noexcept;
  void return_used() noexcept;
  /// That part of the window, in results.
  std::int64_t share_of_window(unsigned parts) const noexcept;

  struct alignas(64) slot_output {
    result_block* block = nullptr;  // the slot's thread only
  };

  std::unique_ptr<slot_output[]> open_;  // constant after prepare()

  // the reader's
  alignas(64) std::array<result_block*, most_at_once> at_hand_{};  // [hand_first_, hand_last_)
  std::array<result_block*, most_at_once> used_{};
  std::size_t hand_first_ = 0;
  std::size_t hand_last_ = 0;
  std::size_t used_count_ = 0;
  std::int64_t kept_ = 0;  // places of results that it has taken, and not given back

  // What both sides write, on lines of its own. Pointers in arrays and not links in the blocks, whose
  // lines are on the other side's core.
  alignas(64) spin_mutex mutex_;
  stream_waiter* waiter_ = nullptr;  // guarded by mutex_, like all below
  std::vector<result_block*> ready_;  // both have room for every block that there is
  std::vector<result_block*> unused_;
  std::size_t blocks_ = 0;
  std::atomic<std::int64_t> outstanding_{0};  // counter only: places that are with the reader
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
