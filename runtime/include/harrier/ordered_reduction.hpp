// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch_reduction.hpp>
#include <harrier/detail/batch_core.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <unordered_map>
#include <utility>

namespace harrier {

/// A reduction whose value depends on the results alone, and not on how many workers there are or which
/// item ended first: `rt.reduce(n, f, ordered_reduction(0.0, std::plus<>()))` gives the same bits each time.
///
/// Order    that of the input: op need not commute. 64 neighbours are added to a copy of `identity` one
///          after the other, then neighbouring values are combined in a tree whose shape is fixed.
/// Cost     a result is stored until its 63 neighbours have ended; for each block of them, a lock.
template <class R, class Op, class Combine = Op>
class ordered_reduction : public reduction<R, Op, Combine> {
 public:
  using reduction<R, Op, Combine>::reduction;
};
template <class R, class Op>
ordered_reduction(R, Op) -> ordered_reduction<R, Op, Op>;
template <class R, class Op, class Combine>
ordered_reduction(R, Op, Combine) -> ordered_reduction<R, Op, Combine>;

namespace detail {

/// Results wait in blocks of neighbours until a block is complete and becomes one value; a value
/// waits for that of its neighbour. Node n of a level has the values 2n and 2n + 1 of the level below.
///
/// Threads     the results of a block are written by whoever has them; mutex_ guards the tables.
/// Invariant   a block that is looked for is not complete: so what a slot remembers of it is good.
/// Memory      the blocks with an item under way, and a few values for each slot.
template <class T, class Reduction>
class ordered_reduce_of : public reduced_batch<typename Reduction::value_type> {
  static_assert(!std::is_void_v<T>, "items that return nothing have nothing to be reduced");

 public:
  using value = typename Reduction::value_type;

  ordered_reduce_of(std::uint64_t total, dispatch_options options, Reduction how)
      : reduced_batch<value>(total, std::move(options)), how_(std::move(how)) {}

  bool keep(batch_lane& lane, task_promise<T>& promise, std::uint64_t index) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      if (promise.result == result_kind::value) [[likely]] {
        put(lane, promise, index);
        return true;
      }
    }
    return false;
  }

  value total_value() final {
    std::map<std::uint64_t, block*> unfinished;
    for (auto& [number, each] : blocks_) {
      unfinished.emplace(number, each.get());
    }
    for (const auto& [number, each] : unfinished) {
      join(number, fold(*each));
    }
    std::map<std::uint64_t, value*> in_order;
    for (auto& [at, each] : nodes_) {
      in_order.emplace(at.second << at.first, &each);
    }
    value sum = std::move(how_.identity);
    for (const auto& [first, each] : in_order) {
      sum = how_.combine(std::move(sum), std::move(*each));
    }
    return sum;
  }

 protected:
  void prepare(std::size_t slots) override { recent_ = std::make_unique<recent_block[]>(slots); }
  void store_result(batch_lane& lane, promise_base& promise, std::uint64_t index) final {
    put(lane, static_cast<task_promise<T>&>(promise), index);
  }
  void item_lost(batch_lane& lane, std::uint64_t index) noexcept final {
    if (block* const in = block_of(lane, index)) {
      count_down(*in, index / block_items);
    }
  }
  void release_inputs() noexcept override {}
  void release_results() noexcept final {}

 private:
  static constexpr std::uint64_t block_items = 64;

  class block {
   public:
    explicit block(std::uint64_t items) noexcept : left(items) {}
    std::array<std::optional<T>, block_items> results;
    std::atomic<std::uint64_t> left;  // items that have not ended
  };
  struct alignas(64) recent_block {
    std::uint64_t number = 0;
    block* at = nullptr;
  };

  void put(batch_lane& lane, task_promise<T>& promise, std::uint64_t index) {
    if (block* const in = block_of(lane, index)) {
      in->results[index % block_items].emplace(promise.take());
      count_down(*in, index / block_items);
    }
  }

  /// Null: there is no memory, and the batch ends of that.
  block* block_of(batch_lane& lane, std::uint64_t index) noexcept {
    const std::uint64_t number = index / block_items;
    recent_block& recent = recent_[lane.slot];
    if (recent.at == nullptr || recent.number != number) {
      try {
        const std::scoped_lock guard(mutex_);
        std::unique_ptr<block>& there = blocks_[number];
        if (!there) {
          const std::uint64_t first = number * block_items;
          there = std::make_unique<block>(
              this->is_open_ended() ? block_items : std::min(block_items, this->total() - first));
        }
        recent.at = there.get();
        recent.number = number;
      } catch (...) {  // told to whoever waits
        recent.at = nullptr;
        this->cancel_because(std::current_exception());
      }
    }
    return recent.at;
  }

  void count_down(block& in, std::uint64_t number) noexcept {
    // acq_rel pairs with itself: the last one sees what the others have put there
    if (in.left.fetch_sub(1, std::memory_order_acq_rel) != 1) {
      return;
    }
    try {
      std::unique_ptr<block> complete;
      {
        const std::scoped_lock guard(mutex_);
        const auto at = blocks_.find(number);
        complete = std::move(at->second);
        blocks_.erase(at);
      }
      join(number, fold(*complete));
    } catch (...) {  // told to whoever waits: the value is lost
      this->cancel_because(std::current_exception());
    }
  }

  value fold(block& of) {
    value sum(how_.identity);
    for (std::optional<T>& each : of.results) {
      if (each) {
        sum = how_.op(std::move(sum), std::move(*each));
      }
    }
    return sum;
  }

  /// Combines the value of block `at` with its neighbour's, if that is there, and so on upwards.
  void join(std::uint64_t at, value part) {
    for (unsigned level = 0;; ++level, at /= 2) {
      std::optional<value> other;
      {
        const std::scoped_lock guard(mutex_);
        const auto neighbour = nodes_.find({level, at ^ 1});
        if (neighbour == nodes_.end()) {
          nodes_.emplace(std::pair(level, at), std::move(part));
          return;
        }
        other.emplace(std::move(neighbour->second));
        nodes_.erase(neighbour);
      }
      part = at % 2 == 0 ? how_.combine(std::move(part), std::move(*other))
                         : how_.combine(std::move(*other), std::move(part));
    }
  }

  Reduction how_;
  std::unique_ptr<recent_block[]> recent_;  // each slot's thread its own
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::unique_ptr<block>> blocks_;  // guarded by mutex_
  std::map<std::pair<unsigned, std::uint64_t>, value> nodes_;  // guarded by mutex_
};

template <class T, class Reduction>
struct reduce_batch;
template <class T, class R, class Op, class Combine>
struct reduce_batch<T, reduction<R, Op, Combine>> {
  using type = reduce_of<T, reduction<R, Op, Combine>>;
};
template <class T, class R, class Op, class Combine>
struct reduce_batch<T, ordered_reduction<R, Op, Combine>> {
  using type = ordered_reduce_of<T, ordered_reduction<R, Op, Combine>>;
};

}  // namespace detail
}  // namespace harrier
