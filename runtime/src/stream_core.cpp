// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/stream_core.hpp>

#include <harrier/detail/wait_facts.hpp>

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <utility>

namespace harrier::detail {

stream_core::~stream_core() = default;

void stream_core::prepare(std::size_t slots) { open_ = std::make_unique<slot_output[]>(slots); }

std::uint32_t stream_core::block_size(std::size_t result_bytes) const noexcept {
  constexpr std::uint64_t most = 512;
  constexpr std::uint64_t most_bytes = 16384;
  // So small that several fit into the window of each slot: a wall must not be held by halves.
  const std::uint64_t each = has_automatic_window() ? static_cast<std::uint64_t>(automatic_window)
                                                    : options().window / slots();
  const std::uint64_t by_window = each / 4;
  const std::uint64_t by_bytes = most_bytes / result_bytes;
  return static_cast<std::uint32_t>(
      std::max<std::uint64_t>(std::min({most, by_window, by_bytes}), 1));
}

void stream_core::before_flush(batch_lane& lane) noexcept {
  if (const result_block* open = open_block(lane); open != nullptr && open->count != 0) {
    publish(lane);
  }
  tell_reader();
}

std::int64_t stream_core::share_of_window(unsigned parts) const noexcept {
  const std::uint64_t whole = has_automatic_window()
                                  ? static_cast<std::uint64_t>(automatic_window) * slots()
                                  : options().window;
  return static_cast<std::int64_t>(std::max<std::uint64_t>(whole / parts, 1));
}

void stream_core::publish(batch_lane& lane) noexcept {
  result_block& block = *open_block(lane);
  result_block* next = nullptr;
  stream_waiter* waiter = nullptr;
  const auto places = static_cast<std::int64_t>(block.count);
  const std::int64_t enough = share_of_window(4);
  add_to(lane.live, -places);
  add_to(lane.window, -places);
  {
    const std::scoped_lock guard(mutex_);
    ready_.push_back(&block);
    if (!unused_.empty()) {
      next = unused_.back();
      unused_.pop_back();
    }
    // counter only
    if (outstanding_.fetch_add(places, std::memory_order_relaxed) + places >= enough) {
      waiter = std::exchange(waiter_, nullptr);
    }
  }
  open_block(lane) = next;
  if (waiter != nullptr) {
    waiter->notify(*waiter);
  }
}

void stream_core::tell_reader() noexcept {
  stream_waiter* waiter = nullptr;
  {
    const std::scoped_lock guard(mutex_);
    if (!ready_.empty()) {
      waiter = std::exchange(waiter_, nullptr);
    }
  }
  if (waiter != nullptr) {
    waiter->notify(*waiter);
  }
}

result_block* stream_core::take_block() noexcept {
  if (hand_first_ == hand_last_) {
    const std::scoped_lock guard(mutex_);
    hand_first_ = 0;
    hand_last_ = std::min(ready_.size(), at_hand_.size());
    const auto end = ready_.begin() + static_cast<std::ptrdiff_t>(hand_last_);
    std::copy(ready_.begin(), end, at_hand_.begin());
    ready_.erase(ready_.begin(), end);
  }
  return hand_first_ != hand_last_ ? at_hand_[hand_first_++] : nullptr;
}

void stream_core::return_used() noexcept {
  const std::scoped_lock guard(mutex_);
  unused_.insert(unused_.end(), used_.begin(),
                 used_.begin() + static_cast<std::ptrdiff_t>(used_count_));
  used_count_ = 0;
}

void stream_core::recycle(result_block& block) noexcept {
  kept_ += static_cast<std::int64_t>(block.count);
  block.count = 0;
  used_[used_count_++] = &block;
  // A hint that decides when, not whether: a reader that finds nothing has given all. Workers that
  // sleep because the window is full are woken for half of it, not for each block. Of a small wall each
  // place counts: else nothing would run while the reader is at work.
  constexpr std::int64_t small = 16;
  const std::int64_t half = share_of_window(2);
  const bool gives =
      half < small / 2 || outstanding_.load(std::memory_order_relaxed) - kept_ <= half;
  if (gives || used_count_ == used_.size()) {
    return_used();
  }
  if (gives) {
    const std::int64_t given = std::exchange(kept_, 0);
    outstanding_.fetch_sub(given, std::memory_order_relaxed);  // counter only
    give_window(given);
  }
}

result_block* stream_core::reuse_block() noexcept {
  const std::scoped_lock guard(mutex_);
  if (unused_.empty()) {
    return nullptr;
  }
  result_block* block = unused_.back();
  unused_.pop_back();
  return block;
}

void stream_core::expect_block() {
  const std::scoped_lock guard(mutex_);
  if (blocks_ == unused_.capacity() || blocks_ == ready_.capacity()) {
    const std::size_t room = std::max<std::size_t>(blocks_ * 2, 16);
    ready_.reserve(room);
    unused_.reserve(room);
  }
  ++blocks_;
}

result_block* stream_core::remove_block() noexcept {
  if (used_count_ != 0) {
    return used_[--used_count_];
  }
  for (std::size_t s = 0; open_ != nullptr && s < slots(); ++s) {
    if (open_[s].block != nullptr) {
      return std::exchange(open_[s].block, nullptr);
    }
  }
  result_block* block = take_block();
  return block != nullptr ? block : reuse_block();
}

bool stream_core::wait_for_results(stream_waiter& waiter) noexcept {
  const std::scoped_lock guard(mutex_);
  if (!ready_.empty() || is_done()) {
    return false;
  }
  waiter_ = &waiter;
  return true;
}

bool stream_core::stop_waiting(stream_waiter& waiter) noexcept {
  const std::scoped_lock guard(mutex_);
  if (waiter_ != &waiter) {
    return false;
  }
  waiter_ = nullptr;
  return true;
}

void stream_core::completed() noexcept {
  stream_waiter* waiter = nullptr;
  {
    const std::scoped_lock guard(mutex_);
    waiter = std::exchange(waiter_, nullptr);
  }
  if (waiter != nullptr) {
    waiter->notify(*waiter);
  }
}

void stream_core::close_stream() noexcept {
  if (!is_done()) {
    cancel();
  }
}

void stream_core::wait_blocking(const char* call) {
  blocking_wait::refuse_in_loop(call);
  class waiter final : public stream_waiter {
   public:
    waiter() noexcept
        : stream_waiter{
              [](stream_waiter& self) noexcept { static_cast<waiter&>(self).told.finish(); }} {}
    blocking_wait told;
  } waiting;
  if (wait_for_results(waiting)) {
    waiting.told.wait();
  }
}

void stream_wait::tell(const ready_node& node, wait_facts& facts) {
  const auto& self = static_cast<const stream_wait&>(node);
  self.stream_->tell(facts);
  facts.needs = wait_needs::any;
}

const ready_operations stream_wait::operations_table =
    suspension::wait_table("a batch_stream", stream_wait::withdraw, tell);

stream_wait::stream_wait(stream_core& stream) noexcept
    : suspension(operations_table),
      stream_waiter{
          [](stream_waiter& self) noexcept { detail::wake(static_cast<stream_wait&>(self)); }},
      stream_(&stream) {}

bool stream_wait::publish() noexcept {
  if (!begin_wait()) {
    return false;
  }
  // Once registered, another thread may resume the coroutine: nothing here is touched afterwards.
  return stream_->wait_for_results(*this) || !abandon_wait();
}

withdrawal stream_wait::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<stream_wait&>(node);
  return self.stream_->stop_waiting(self) ? withdrawal::taken : withdrawal::too_late;
}

}  // namespace harrier::detail
