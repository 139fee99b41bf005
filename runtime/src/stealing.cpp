// SPDX-License-Identifier: Apache-2.0
// What a worker does when its own slot is empty: it looks for ranges, children and ready tasks in
// other slots, near ones first.
#include <harrier/detail/given_way.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <mutex>
#include <new>
#include <span>
#include <thread>
#include <vector>

namespace harrier::detail {

namespace {

constexpr std::size_t most_resumed = 32;
constexpr unsigned farthest = std::numeric_limits<unsigned>::max();
/// Some microseconds: as long as a victim's steps may take that is asked, not forced, to step back. The
/// barrier takes ten times as long while the victim runs, and interrupts it.
constexpr unsigned times_asked = 128;

void prefetch_two_lines(const void* at) noexcept {
  constexpr int to_write = 1;
  __builtin_prefetch(at, to_write);
  __builtin_prefetch(static_cast<const char*>(at) + 64, to_write);
}

/// A thief inside a victim's mutex.
class thief_guard {
 public:
  explicit thief_guard(owned_mutex& of_victim) noexcept : mutex_(of_victim) {
    mutex_.lock_by_asking(times_asked);
  }
  ~thief_guard() { mutex_.unlock(); }
  thief_guard(const thief_guard&) = delete;
  thief_guard& operator=(const thief_guard&) = delete;

 private:
  owned_mutex& mutex_;
};

}  // namespace

std::uint32_t worker_slot::random() noexcept {
  seed_ ^= seed_ << 13;
  seed_ ^= seed_ >> 17;
  seed_ ^= seed_ << 5;
  return seed_;
}

void worker_slot::sort_victims() noexcept {
  if (const placement* where = core_.where()) {
    try {
      if (index_ < core_.workers()) {  // a spare worker has no place, and is as far as can be
        std::vector<unsigned> distances = where->distances_from(index_);
        distances.resize(core_.slots(), farthest);
        victims_.sort_by(distances);
      }
    } catch (const std::bad_alloc&) {  // then they stay equally far
    }
  }
}

/// Lets the reader of a stream go first, who holds the window and perhaps waits for this very processor:
/// to sleep until there is room takes a heavy barrier and two system calls, and longer than the whole
/// window takes to fill. True: there may be something to do.
bool worker_slot::outwait_reader() {
  const auto found = std::find_if(batches_.begin(), batches_.end(), [this](batch_core* batch) {
    return batch->waits_for_reader(batch->lane(index_));
  });
  if (found == batches_.end()) {
    return false;
  }
  batch_core& batch = **found;
  event_loop& loop = *loop_.load(std::memory_order_relaxed);  // this thread wrote it
  const std::uint32_t looks = room_patience_.begin();
  for (std::uint32_t look = 1; look <= looks; ++look) {
    std::this_thread::yield();
    if (!batch.waits_for_reader(batch.lane(index_)) || has_ready() || !loop.inbox().empty() ||
        core_.has_injected() || addressed_.size() != 0 ||
        batches_version_ != core_.batches_version() || core_.is_ending()) {
      room_patience_.found_at(look);
      return true;
    }
  }
  room_patience_.found_nothing();
  return false;
}

bool worker_slot::search() {
  flush();
  if (has_ready() || low_.in_use()) {
    return true;  // it has woken a reader that is bound to this slot, or an earlier flush did
  }
  if (outwait_reader()) {
    return true;
  }
  if (!core_.idle().may_search(core_.workers())) {
    return widen_windows();
  }
  // What is found runs only after the search has ended: others do not wake while somebody searches.
  promise_base* child = nullptr;
  ready_node* node = nullptr;
  bool found = false;
  event_loop& loop = *loop_.load(std::memory_order_relaxed);  // this thread wrote it
  const std::uint32_t looks = patience_.begin();
  for (std::uint32_t look = 0; look < looks && !found && !core_.is_ending(); ++look) {
    for (unsigned spin = 0; spin < 16 && look != 0; ++spin) {
      pause_processor();
    }
    found = batches_version_ != core_.batches_version() || !loop.inbox().empty() ||
            core_.has_injected() || addressed_.size() != 0;
    found = found || victims_.try_each([this] { return random(); },
                                       [&](std::size_t victim) {
                                         return steal_from(core_.slot(victim), child, node);
                                       });
    if (found) {
      patience_.found_at(look);
    }
  }
  if (!found) {
    patience_.found_nothing();
  }
  core_.ends_search(found);
  if (child != nullptr) {
    run_child(*child);
  } else if (node != nullptr) {
    loop.step(*node);
  }
  return found || widen_windows();
}

/// High tasks first; ranges are sorted by class. A child or a task is left to the caller to run.
bool worker_slot::steal_from(worker_slot& victim, promise_base*& child, ready_node*& node) {
  return (node = steal_resumed(victim, priority::high)) != nullptr || steal_range(victim) ||
         (child = steal_child(victim)) != nullptr ||
         (node = steal_resumed(victim, priority::normal)) != nullptr ||
         (node = steal_resumed(victim, priority::low)) != nullptr;
}

bool worker_slot::steal_range(worker_slot& victim) {
  for (batch_core* batch : batches_) {
    batch_lane& mine = batch->lane(index_);
    if (batch->is_strict() || !mine.range.empty() || mine.is_starting) {
      continue;
    }
    if (!batch->may_start(mine)) {
      continue;
    }
    const position_range half = batch->lane(victim.index_).range.steal_half();
    if (!half.empty()) {
      mine.range.install(half);
      may_have_high_ |= batch->urgency() == priority::high;
      bump(counts_.steals_ranges);
      if (batch->is_closed()) {
        batch->run_chunk(*this);  // the end may have missed it on its way here: dropped now
      }
      return true;
    }
  }
  return false;
}

promise_base* worker_slot::steal_child(worker_slot& victim) {
  promise_base* child = victim.deque_.steal();
  if (child != nullptr) {
    bump(counts_.steals_children);
  }
  return child;
}

void worker_slot::take_over(std::span<ready_node* const> taken) noexcept {
  // Each task's lines, two of the record and two of the frame, come from the core that made it: they are
  // asked for side by side.
  constexpr std::size_t ahead = 8;
  const std::scoped_lock guard(mutex_);
  record_list& mine = loop()->live();
  for (std::size_t at = 0; at < taken.size(); ++at) {
    if (at + ahead < taken.size()) {
      prefetch_two_lines(taken[at + ahead]);
    }
    ready_node* node = taken[at];
    if (has_given_way(*node)) {
      ready_.push_held(*node);
      continue;
    }
    task_record& record = record_of(*node);
    prefetch_two_lines(record.root);
    if (record.list == nullptr) {
      mine.link(record);
    }
    place_held(*node, placing_of(record));
  }
}

ready_node* worker_slot::steal_resumed(worker_slot& victim, priority urgency) {
  stealable_queue& from_queue = victim.open_queue(urgency);
  // The loop comes first: [slot:loop] whoever sees it sees who owns the victim's lock.
  event_loop* const from_loop = victim.loop();
  if (from_loop == nullptr || from_queue.empty()) {
    return nullptr;
  }
  std::array<ready_node*, most_resumed> room;
  std::span<ready_node* const> taken;
  const std::scoped_lock moving(moving_);
  {
    const thief_guard guard(victim.mutex_);
    taken = from_queue.take_half_held(room);
    record_list& from = from_loop->live();
    for (ready_node* node : taken) {
      if (has_given_way(*node)) {
        continue;
      }
      if (task_record& record = record_of(*node); record.list == &from) {
        from.unlink(record);
      }
    }
  }
  if (taken.empty()) {
    return nullptr;
  }
  bump(counts_.steals_resumed);
  take_over(taken);
  return open_queue(urgency).pop();
}

}  // namespace harrier::detail
