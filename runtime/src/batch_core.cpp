// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/batch_core.hpp>

#include <harrier/cancellation.hpp>
#include <harrier/detail/item_guard.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <algorithm>
#include <chrono>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace harrier::detail {

namespace {

// A chunk should take long enough to hide its claim, and short enough to leave work to steal.
constexpr std::chrono::nanoseconds short_chunk{4000};
constexpr std::chrono::nanoseconds long_chunk{16000};
constexpr std::uint32_t largest_chunk = 1024;
// And never more than this part of what is left: the size was learnt from the items before, and if these
// are much heavier, nobody can help with them until the chunk has ended.
constexpr std::uint32_t parts_of_the_rest = 8;
// Items are dealt in units so that positions fit 32 bits, however many items there are.
constexpr std::uint64_t most_positions = std::uint64_t{1} << 31;

}  // namespace

batch_core::batch_core(std::uint64_t total, dispatch_options options)
    : total_(total), positions_(total), options_(std::move(options)), end_(total) {
  options_.check();
  if (options_.needs_guard()) {
    guard_ = std::make_unique<item_guard>(options_);
  }
}

batch_core::~batch_core() = default;

void batch_core::route(runtime_core& core, std::size_t workers, std::size_t slots) {
  core_ = &core;
  handler_ = core.handler();
  clock_ = &core.time();
  began_ = clock_->now();
  worker_count_ = workers;
  slot_count_ = slots;
  may_give_way_ = !core.is_debug() && !options_.strict && options_.urgency == priority::normal;
  lanes_ = std::make_unique<batch_lane[]>(slots);
  leave_out_completed(slots);
  while ((positions_ >> unit_shift_) >= most_positions) {
    ++unit_shift_;
  }
  const std::uint64_t units = (positions_ + (std::uint64_t{1} << unit_shift_) - 1) >> unit_shift_;
  std::vector<std::uint64_t> bounds(workers + 1);
  if (options_.policy == routing::balanced || workers == 1) {
    for (std::size_t s = 0; s <= workers; ++s) {
      bounds[s] = units / workers * s + units % workers * s / workers;
    }
  } else if (options_.policy == routing::round_robin) {
    identity_ = false;
    unit_shift_ = 0;
    for (std::size_t s = 0; s < workers; ++s) {
      bounds[s + 1] = bounds[s] + (positions_ + workers - 1 - s) / workers;
    }
    starts_ = bounds;
  } else {
    identity_ = false;
    std::vector<std::vector<std::uint64_t>> by_slot(workers);
    for (std::uint64_t position = 0; position < positions_; ++position) {
      const std::uint64_t index = left_.empty() ? position : left_.index_of(position);
      by_slot[options_.key(index) % workers].push_back(index);
    }
    order_.reserve(positions_);
    for (std::size_t s = 0; s < workers; ++s) {
      order_.insert(order_.end(), by_slot[s].begin(), by_slot[s].end());
      bounds[s + 1] = order_.size();
    }
  }
  // relaxed: before the batch is handed to anybody
  spare_window_.store(static_cast<std::int64_t>(options_.window), std::memory_order_relaxed);
  // A smaller one is tried only where nothing but the items decides how fast they end.
  const bool may_shrink = !is_reader_bound() && !(guard_ && guard_->has_rate());
  auto_window_.begin(automatic_window, may_shrink ? least_automatic_window : automatic_window,
                     began_);
  for (std::size_t s = 0; s < slots; ++s) {
    batch_lane& lane = lanes_[s];
    lane.batch = this;
    lane.slot = s;
    // relaxed: before the batch is handed to anybody
    lane.limit = has_automatic_window() ? automatic_window : 0;
    lane.window.store(lane.limit, std::memory_order_relaxed);
    if (s < workers) {
      lane.range.install(
          {static_cast<std::uint32_t>(bounds[s]), static_cast<std::uint32_t>(bounds[s + 1])});
    }
  }
  prepare(slots);
}

void batch_core::leave_out_completed(std::size_t slots) {
  if (options_.recorder == nullptr) {
    return;
  }
  if (is_open_ended()) {
    throw std::invalid_argument("with_checkpoint: the input has no indices that a later run knows");
  }
  const index_set completed = options_.recorder->begin(total_, slots);
  for (std::size_t s = 0; s < slots; ++s) {
    runs_.emplace_back(*options_.recorder, s);
  }
  if (completed.empty()) {
    return;
  }
  const index_set left = completed.complement(total_);
  positions_ = left.size();
  end_.expect(positions_);
  left_ = position_map(left);
  identity_ = false;
}

std::uint64_t batch_core::permuted_index(std::uint64_t position) const noexcept {
  if (!order_.empty()) {
    return order_[position];
  }
  if (!starts_.empty()) {
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), position);
    const auto slot = static_cast<std::uint64_t>(after - starts_.begin()) - 1;
    position = (position - starts_[slot]) * worker_count_ + slot;
  }
  return left_.empty() ? position : left_.index_of(position);
}

index_range batch_core::indices_at(std::uint64_t position, std::uint64_t last) const noexcept {
  if (identity_) {
    return index_range(position, last);
  }
  if (order_.empty() && starts_.empty()) {
    return left_.indices_at(position, last);
  }
  const std::uint64_t index = permuted_index(position);
  return index_range(index, index + 1);
}

bool batch_core::should_pause(worker_slot& slot) const noexcept { return slot.has_ready(); }

/// Drops what a slot has of a closed batch. At once: a range that was stolen just before the others
/// were dropped is installed after that, and one of an input without end is as good as endless.
bool batch_core::drop_left(batch_lane& mine) noexcept {
  std::uint64_t first = std::exchange(mine.partial_first, 0);
  std::uint64_t last = std::exchange(mine.partial_last, 0);
  if (first == last) {
    const position_range left = mine.range.take_all();
    if (left.empty()) {
      return false;
    }
    first = item_position(left.first);
    last = item_position(left.last);
  }
  drop(mine, first, last);
  return true;
}

bool batch_core::run_chunk(worker_slot& slot) {
  batch_lane& mine = lane(slot.index());
  if (is_closed()) {
    return drop_left(mine);
  }
  if (is_held() || mine.is_starting) {
    return false;
  }
  // relaxed: this slot's thread alone writes it. Where nothing suspends there is nothing to look after.
  if ((mine.live.load(std::memory_order_relaxed) != 0 || mine.excess != 0) &&
      has_automatic_window()) {
    tune_window(mine);
  }
  if (!has_room(mine)) {
    if (has_automatic_window() && may_widen()) {
      auto_window_.note_full();
    }
    return false;
  }
  std::uint64_t first = std::exchange(mine.partial_first, 0);
  std::uint64_t last = std::exchange(mine.partial_last, 0);
  if (first == last) {
    const std::uint32_t part = std::max(mine.range.size() / parts_of_the_rest, 1u);
    const position_range claimed = mine.range.take_front(std::min(mine.chunk, part));
    if (claimed.empty()) {
      return false;
    }
    first = item_position(claimed.first);
    last = item_position(claimed.last);
  }
  const auto begin = std::chrono::steady_clock::now();
  mine.is_starting = true;
  const std::uint64_t reached = is_closed() ? first : start_items(slot, mine, first, last);
  mine.is_starting = false;
  if (reached < last) {
    if (is_closed()) {
      drop(mine, reached, last);
    } else if (unit_shift_ == 0) {
      mine.range.give_back({static_cast<std::uint32_t>(reached), static_cast<std::uint32_t>(last)});
    } else {
      mine.partial_first = reached;
      mine.partial_last = last;
    }
    return true;
  }
  const auto took = std::chrono::steady_clock::now() - begin;
  if (took < short_chunk) {
    mine.chunk = std::min(mine.chunk * 2, largest_chunk);
  } else if (took > long_chunk && mine.chunk > 1) {
    mine.chunk /= 2;
  }
  return true;
}

void batch_core::drop(batch_lane& at, std::uint64_t first, std::uint64_t last) noexcept {
  drop_positions(first, last);
  at.unflushed += last - first;
  here()->slot->mark_unflushed(at);
}

void batch_core::drop_positions(std::uint64_t first, std::uint64_t last) noexcept {
  if (is_open_ended()) {
    return;  // they stand for nothing yet
  }
  dropped_count_.fetch_add(last - first, std::memory_order_relaxed);  // counter only
  const std::scoped_lock guard(mutex_);
  try {
    dropped_.emplace_back(first, last);
  } catch (const std::bad_alloc&) {
    lost_error_ = std::current_exception();
  }
}

[[gnu::always_inline]] inline void batch_core::settle_here(batch_lane& at, promise_base& promise,
                                                           std::uint64_t index) noexcept {
  if (promise.result == result_kind::error) {
    promise.result = result_kind::taken_error;
    item_failed(at, index, promise.error);
    return;
  }
  try {
    store_result(at, promise, index);
    bump(at.completed);
    if (slot_runs* const mine = runs(at.slot)) {
      mine->resumed.go_on_with(index);
      mine->resumed.add(index);
    }
  } catch (...) {  // the move of the result threw: that is the item's failure
    item_failed(at, index, std::current_exception());
  }
}

void batch_core::settle(batch_lane& at, promise_base& promise, std::uint64_t index) noexcept {
  settle_here(at, promise, index);
}

void batch_core::item_failed(batch_lane& at, std::uint64_t index,
                             std::exception_ptr error) noexcept {
  const bool was_cancel = is_cancel(error);
  bump(was_cancel ? at.cancelled : at.failed);
  item_lost(at, index);
  bool too_many = false;
  {
    const std::scoped_lock guard(mutex_);
    try {
      errors_.emplace_back(index, std::move(error));
      if (guard_) {
        errors_.back().attempts = guard_->attempts_of(index);
      }
    } catch (const std::bad_alloc&) {
      lost_error_ = std::current_exception();
    }
    failures_ += was_cancel ? 0 : 1;
    too_many = !was_cancel && options_.errors.cancels() && exceeds_tolerance();
  }
  if (too_many) {
    cancel();
  }
}

/// Under the mutex.
bool batch_core::exceeds_tolerance() const noexcept {
  constexpr std::uint64_t early = 100;  // a share of an unknown total means little before that
  if (!options_.errors.is_share()) {
    return failures_ > options_.errors.most();
  }
  const std::uint64_t of = is_open_ended() && !is_done() ? std::max(total(), early) : total();
  return static_cast<double>(failures_) > options_.errors.share() * static_cast<double>(of);
}

void batch_core::input_failed(std::uint64_t position, std::exception_ptr error) noexcept {
  {
    const std::scoped_lock guard(mutex_);
    try {
      errors_.emplace_back(position, error);
    } catch (const std::bad_alloc&) {  // told below, without its position
    }
    reason_ = std::move(error);
  }
  if (options_.errors.cancels()) {
    cancel();
  }
  input_ended();
}

void batch_core::item_cancelled(batch_lane& at, std::uint64_t index) noexcept {
  item_failed(at, index, std::make_exception_ptr(cancelled()));
}

void batch_core::count_finished(worker_slot& slot, batch_lane& at, std::uint64_t items) noexcept {
  at.unflushed += items;
  slot.mark_unflushed(at);
}

void batch_core::finish_suspended(worker_slot& slot, promise_base& promise, std::uint64_t index,
                                  bool was_cancelled) noexcept {
  batch_lane& at = lane(slot.index());
  add_to(at.live, -1);
  if (was_cancelled) [[unlikely]] {
    item_cancelled(at, index);
  } else {
    settle_here(at, promise, index);
  }
  count_finished(slot, at, 1);
}

void batch_core::flush(batch_lane& at) noexcept {
  before_flush(at);
  subtract(std::exchange(at.unflushed, 0));
}

void batch_core::subtract(std::uint64_t items) noexcept {
  if (end_.subtract(items)) {
    complete();
  }
}

void batch_core::complete_if_empty() noexcept {
  if (positions_ == 0) {
    complete();
  }
}

void batch_core::complete() noexcept {
  release_inputs();
  for (slot_runs& each : runs_) {
    each.close();
  }
  options_.recorder.reset();  // every item that completed has been told
  ended_ = clock_->now();
  std::vector<join_handle<void>> companions;
  const batch_end::outcome outcome = [&] {
    // Whoever holds the mutex and finds the batch not done may use its runtime.
    const std::scoped_lock guard(mutex_);
    companions.swap(companions_);
    return end_.done();
  }();
  if (outcome.is_detached) {
    report_detached_errors();
    release_results();
  }
  for (join_handle<void>& each : companions) {
    each.cancel();
  }
  core_->forget(*this);
  completed();
  batch_watcher* watchers = outcome.watchers;
  while (watchers != nullptr) {
    batch_watcher* next = watchers->next;
    watchers->notify(*watchers);
    watchers = next;
  }
  drop_reference();  // the runtime's
}

void batch_core::abandon() noexcept {
  if (end_.abandon()) {
    report_detached_errors();
    release_results();
  }
  drop_reference();
}

/// The handle is gone: nobody can take the errors any more.
void batch_core::report_detached_errors() noexcept {
  {
    const std::scoped_lock guard(mutex_);
    if (errors_seen_) {
      return;
    }
  }
  try {
    for (const item_error& each : errors()) {
      if (!is_cancel(each.error)) {
        report_to(handler_.get(),
                  error_report("item " + std::to_string(each.index) + " of a detached batch failed",
                               each.error, {}));
      }
    }
  } catch (const std::bad_alloc&) {
    try {
      report_to(handler_.get(),
                error_report("items of a detached batch failed", std::current_exception(), {}));
    } catch (const std::bad_alloc&) {  // no memory to tell it with
    }
  }
}

}  // namespace harrier::detail
