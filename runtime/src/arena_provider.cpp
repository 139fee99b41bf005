// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/arena_provider.hpp>

#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/seam.hpp>

#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <climits>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <utility>

namespace harrier::detail {

namespace {

constinit std::mutex all_mutex;
constinit arena_provider* all = nullptr;

}  // namespace

struct arena_provider::arena {
  explicit arena(int threads) : tbb(threads) {}
  tbb::task_arena tbb;
};

struct arena_provider::seat : parker::summons, blocking_call {
  seat() noexcept : summons(parker_unparked), blocking_call(stand_in_comes) {}

  static void parker_unparked(parker::summons& self) noexcept {
    auto& at = static_cast<seat&>(self);
    // Kept: once called, the slot may be served and the runtime be gone before we are.
    const std::shared_ptr<arena_provider> provider = at.provider->weak_from_this().lock();
    provider->summon(at.index);
  }
  static void stand_in_comes(blocking_call& self) noexcept {
    auto& at = static_cast<seat&>(self);
    ::pthread_setname_np(::pthread_self(),
                         ("harrier/" + std::to_string(at.index)).substr(0, 15).c_str());
    // seq_cst: whoever called us and found this still set, called before we enter  [seat:stand_in]
    at.has_stand_in.store(false, std::memory_order_seq_cst);
    at.provider->answer(at.index, stand_in_slice);
  }

  arena_provider* provider = nullptr;
  std::size_t index = 0;
  occupancy state;
  std::atomic<std::uint32_t> calls{0};  // [watch:call]
  std::atomic<bool> has_stand_in{false};
  std::uint32_t calls_seen = 0;  // the watch's thread only
};

arena_provider::arena_provider(runtime_core& core, clock& time, std::size_t slots)
    : core_(core),
      clock_(time),
      arena_(std::make_unique<arena>(arena_size(slots))),
      seats_(std::make_unique<seat[]>(slots)),
      slots_(slots),
      timers_(time, slots, [this](std::size_t slot) { core_.slot(slot).wake(); }),
      pool_(slots, std::chrono::seconds(1)) {
  for (std::size_t slot = 0; slot < slots; ++slot) {
    seats_[slot].provider = this;
    seats_[slot].index = slot;
  }
  const std::scoped_lock guard(all_mutex);
  place_ = &all;
  next_ = std::exchange(all, this);
  if (next_ != nullptr) {
    next_->place_ = &next_;
  }
}

arena_provider::~arena_provider() {
  const std::scoped_lock guard(all_mutex);
  *place_ = next_;
  if (next_ != nullptr) {
    next_->place_ = place_;
  }
}

int arena_provider::arena_size(std::size_t workers) {
  using limit = tbb::global_control;
  const std::size_t most = limit::active_value(limit::max_allowed_parallelism);
  return static_cast<int>(std::clamp<std::size_t>(workers + 1, 2, std::max<std::size_t>(most, 2)));
}

parker::summons& arena_provider::summons(std::size_t slot) noexcept { return seats_[slot]; }
occupancy& arena_provider::seat_of(std::size_t slot) noexcept { return seats_[slot].state; }

void arena_provider::begin(std::size_t slot) {
  if (!watch_.joinable()) {
    watch_ = std::thread([this] { watch(); });
  }
  summon(slot);
}

void arena_provider::enqueue(blocking_call& call, std::atomic<std::uint64_t>& under_way) {
  under_way.fetch_add(1, std::memory_order_relaxed);  // counter; its end releases
  try {
    arena_->tbb.enqueue([&call, &under_way] {
      call.run(call);
      under_way.fetch_sub(1, std::memory_order_release);  // [core:offloading]
    });
  } catch (...) {  // undone and passed on
    under_way.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
}

// --- calling and answering

// The clock counts a slot as a running loop from the call until the thread leaves: on a clock that
// stands still while loops run, no time passes while a thread is on its way.

void arena_provider::summon(std::size_t slot) noexcept {
  clock_.attach();
  switch (seats_[slot].state.call()) {
    case occupancy::call_result::send:
      send(slot);
      break;
    case occupancy::call_result::heard:  // the one inside leaves once more often than it attached
      break;
    case occupancy::call_result::known:
      clock_.detach();
      break;
  }
}

void arena_provider::send(std::size_t slot) noexcept {
#if defined(HARRIER_LEAVES_TBB_ALONE)
  // oneTBB's binary is not instrumented: ThreadSanitizer cannot see what orders a task of oneTBB with
  // its maker, so in this build every thread is a stand-in, which comes and goes in the same way.
  stand_in(slot);
#else
  try {
    arena_->tbb.enqueue([self = shared_from_this(), slot] { self->answer(slot, slice); });
  } catch (...) {  // no memory: the watch sees that nobody comes
  }
#endif
  // seq_cst: [watch:call] the count, then the watch's parker; the watch announces, then counts
  seats_[slot].calls.fetch_add(1, std::memory_order_seq_cst);
  watch_place_.unpark();
}

void arena_provider::answer(std::size_t slot, std::chrono::milliseconds how_long) noexcept {
  occupancy& state = seats_[slot].state;
  if (!state.enter()) {
    return;  // somebody else has answered this call
  }
  worker_slot& at = core_.slot(slot);
  for (;;) {
    const bool idle = at.occupy(how_long) == worker_slot::leaves::idle_or_ended;
    if (idle) {
      clock_.detach();
      if (state.leave()) {
        return;  // the slot may be gone
      }
      continue;  // attached by the one who called meanwhile
    }
    while (!state.renew()) {
      clock_.detach();  // who called meanwhile has attached once more
    }
    send(slot);
    return;
  }
}

// --- stand-ins

void arena_provider::stand_in(std::size_t slot) noexcept {
  seat& at = seats_[slot];
  if (at.has_stand_in.exchange(true, std::memory_order_seq_cst)) {  // [seat:stand_in]
    return;  // one is on its way
  }
  try {
    pool_.submit(at);
    stand_ins_.fetch_add(1, std::memory_order_relaxed);  // counter only
  } catch (...) {  // no thread, or no memory for one: the watch tries again at its next tick
    at.has_stand_in.store(false, std::memory_order_seq_cst);
  }
}

/// Whether anybody was called since the last look, or still waits. Finds those who wait too long.
bool arena_provider::saw_calls() noexcept {
  bool some = false;
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    seat& at = seats_[slot];
    const std::uint32_t calls = at.calls.load(std::memory_order_seq_cst);  // [watch:call]
    const bool waits = at.state.is_called();
    if (waits && calls == at.calls_seen) {
      stand_in(slot);
    }
    some = some || waits || calls != at.calls_seen;
    at.calls_seen = calls;
  }
  return some;
}

void arena_provider::watch() {
  ::pthread_setname_np(::pthread_self(), "harrier/watch");
  while (ending_.load(std::memory_order_seq_cst) == 0) {
    const std::uint32_t ticket = watch_place_.announce();
    if (ending_.load(std::memory_order_seq_cst) == 0 && !saw_calls()) {
      watch_place_.park(ticket, std::chrono::steady_clock::time_point::max());
      continue;
    }
    watch_place_.withdraw();  // while calls come there is a look at every tick, and no wake
    futex_wait(ending_, 0, std::chrono::steady_clock::now() + tick);
  }
}

void arena_provider::close() noexcept {
  for (std::size_t slot = 0; slot < slots_; ++slot) {
    if (seats_[slot].state.close() == occupancy::closed_from::called) {
      clock_.detach();
    }
  }
  timers_.close();
  ending_.store(1, std::memory_order_seq_cst);
  futex_wake(ending_, INT_MAX);
  watch_place_.unpark();
  if (watch_.joinable()) {
    watch_.join();
  }
}

}  // namespace harrier::detail
