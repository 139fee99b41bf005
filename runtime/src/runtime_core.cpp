// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/runtime_core.hpp>

#include <harrier/detail/allocator.hpp>
#include <harrier/detail/describe.hpp>
#include <harrier/detail/seam.hpp>
#include <harrier/detail/spare_workers.hpp>
#include <harrier/detail/unlisted_record.hpp>

#include <oneapi/tbb/task_arena.h>
#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

namespace harrier::detail {

struct runtime_core::arena {
  explicit arena(int threads) : tbb(threads) {}
  tbb::task_arena tbb;
};

namespace {

std::size_t checked_workers(std::size_t workers) {
  if (workers == 0 || workers > max_workers) {
    throw std::invalid_argument("runtime: workers is " + std::to_string(workers) +
                                "; it can be 1 to " + std::to_string(max_workers));
  }
  return workers;
}

}  // namespace

runtime_core::runtime_core(runtime_options options)
    : options_(std::move(options)),
      debug_(is_on(options_.debug)),
      clock_(options_.time != nullptr ? options_.time : &steady_clock()),
      lobby_(*clock_, options_.exception_handler),
      blocking_(options_.max_blocking_threads, options_.blocking_idle),
      idle_(options_.workers) {
  checked_workers(options_.workers);
  check_spare_workers(options_);
  prepare_heavy_barrier();
  lobby_.widen_view(view_);
  const std::size_t slots = options_.workers + options_.spare_workers;
  slots_.reserve(slots);
  for (std::size_t s = 0; s < slots; ++s) {
    slots_.push_back(std::make_unique<worker_slot>(*this, s, slots));
  }
  if (options_.provider == thread_provider::task_arena) {
    provider_ = std::make_shared<arena_provider>(*this, *clock_, options_.workers);
  }
  if (options_.watchdog > duration::zero()) {
    watchdog_.emplace(*this);
  }
}

runtime_core::~runtime_core() {
  // A thread of oneTBB that has made the last call may not have left our wake yet.
  while (offloading_.load(std::memory_order_acquire) != 0) {  // [core:offloading]
    std::this_thread::yield();
  }
}

// --- handing work in

void runtime_core::dispatch(batch_core& batch) {
  batch.route(*this, workers(), slots());
  {
    const std::scoped_lock guard(mutex_);
    if (refusing_) {
      throw runtime_stopped();
    }
    if (batch.left_to_run() != 0) {
      start_threads(
          static_cast<std::size_t>(std::min<std::uint64_t>(batch.left_to_run(), workers())));
      batches_.push_back(&batch);
      // release: [core:batches] a worker that sees the new version finds the batch in the list
      batches_version_.fetch_add(1, std::memory_order_seq_cst);
    }
  }
  if (batch.left_to_run() == 0) {
    batch.complete_if_empty();
    return;
  }
  for (std::uint64_t woken = 0; woken < std::min<std::uint64_t>(batch.left_to_run(), workers());
       ++woken) {
    slot(static_cast<std::size_t>(woken)).wake();
  }
  wake_spare_workers();
}

void runtime_core::forget(batch_core& batch) noexcept {
  {
    const std::scoped_lock guard(mutex_);
    if (std::erase(batches_, &batch) != 0) {
      batches_version_.fetch_add(1, std::memory_order_release);  // [core:batches]
    }
  }
  note_idle();
}

std::uint64_t runtime_core::copy_batches(std::vector<batch_core*>& out) noexcept {
  const std::scoped_lock guard(mutex_);
  const std::uint64_t version = batches_version_.load(std::memory_order_relaxed);  // as written
  bool is_whole = true;
  try {
    out.reserve(batches_.size());
  } catch (const std::bad_alloc&) {
    is_whole = false;
  }
  const std::size_t copied = std::min(batches_.size(), out.capacity());
  out.assign(batches_.end() - static_cast<std::ptrdiff_t>(copied), batches_.end());
  for (batch_core* batch : out) {
    batch->add_reference();
  }
  return is_whole ? version : version - 1;
}

batch_core* runtime_core::batch_before(std::size_t& place) noexcept {
  const std::scoped_lock guard(mutex_);
  place = std::min(place, batches_.size());
  if (place == 0) {
    return nullptr;
  }
  batch_core* batch = batches_[--place];
  batch->add_reference();
  return batch;
}

void runtime_core::complete(task_record& record, const spawn_request& request,
                            std::uint32_t placing) noexcept {
  set_placing(record, placing);
  if (request.where != nullptr) {
    record.context = request.where->share();
  }
  if (debug_ && request.has_site()) [[unlikely]] {
    note_spawn(record, request.site);
  }
}

task_record* runtime_core::spawn(promise_base& root, const spawn_request& request,
                                 bool wait_for_room) {
  worker_slot* inside = this_slot();
  if (inside != nullptr && &inside->core() == this) {
    if (is_stopped()) {
      throw runtime_stopped();
    }
    event_loop& loop = *inside->loop();
    task_record& record = make_unlisted_root_record(root, loop, request.name);
    complete(record, request, priority_bits(request.urgency));
    loop.live().add(record);  // from here on others may read it
    loop.enqueue(record);
    return &record;
  }
  const bool first_thread = threads_.load(std::memory_order_relaxed) == 0;  // hint
  if (first_thread) {
    const std::scoped_lock lock(mutex_);
    if (refusing_) {
      throw runtime_stopped();
    }
    start_threads(1);
  }
  unlisted_record fresh(root, lobby_, request.name);
  std::unique_lock lock(lobby_mutex_);
  if (!has_room(injected_)) {
    if (!wait_for_room) {
      return nullptr;
    }
    wait_in_lobby(lock, injected_, "runtime::spawn on a full queue");
  }
  if (refusing_) {
    throw runtime_stopped();
  }
  task_record& record = fresh.keep();
  complete(record, request, priority_bits(request.urgency));
  ++handed_in_;
  injected_.push(record, request.urgency);
  lock.unlock();
  // The first thread, just started, may have looked already and gone to sleep.
  if (first_thread) {
    wake_sleeper();
  } else {
    wake_one();
  }
  return &record;
}

bool runtime_core::take_injected(worker_slot& to) noexcept {
  if (!has_injected()) {
    return false;
  }
  injection_queue::pack room;
  std::span<ready_node* const> taken;
  const std::scoped_lock moving(to.moving());
  {
    const std::scoped_lock guard(lobby_mutex_);
    const std::size_t share = (injected_.size() + workers() - 1) / workers();
    taken = injected_.take(room, share);
    if (!taken.empty() && options_.queue_limit != 0) {
      room_.notify_all();
    }
  }
  to.take_over(taken);
  to.note_intake(taken.size());
  // What is left may have been handed in while this worker searched, and woke nobody.
  if (taken.size() > 1 || has_injected()) {
    notify_local();
  }
  return !taken.empty();
}

void runtime_core::offload(blocking_call& call) {
#if defined(HARRIER_LEAVES_TBB_ALONE)
  // oneTBB's binary is not instrumented: ThreadSanitizer cannot see what orders a task of oneTBB with
  // its maker, so in this build the pool makes these calls, too.
  blocking_.submit(call);
#else
  if (provider_) {
    provider_->enqueue(call, offloading_);
    return;
  }
  arena* at = nullptr;
  {
    const std::scoped_lock guard(mutex_);
    if (!arena_) {
      arena_ = std::make_unique<arena>(arena_provider::arena_size(workers()));
    }
    at = arena_.get();
  }
  offloading_.fetch_add(1, std::memory_order_relaxed);  // counter; its end releases
  try {
    at->tbb.enqueue([this, &call] {
      call.run(call);
      offloading_.fetch_sub(1, std::memory_order_release);  // [core:offloading]
    });
  } catch (...) {  // undone and passed on
    offloading_.fetch_sub(1, std::memory_order_relaxed);
    throw;
  }
#endif
}

// --- threads and sleep

void runtime_core::start_thread() {
  slots_[threads_]->prepare();
  if (provider_) {
    provider_->begin(threads_);
    ++threads_;
    idle_.no_longer_hungry();
    return;
  }
  worker_slot& at = *slots_[threads_];
  at.thread_ = make_thread(at, [&at] { at.serve(); });
  ++threads_;
  idle_.no_longer_hungry();
}

std::thread runtime_core::make_thread(worker_slot& at, std::function<void()> work) {
  auto body = [this, &at, work = std::move(work)] {
    const std::string name = "harrier/" + std::to_string(at.index());
    ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
    if (at.index() >= workers()) {
      const std::scoped_lock started(mutex_);  // its number is valid before anybody can tell it
    }
    if (placement_) {
      at.index() < workers() ? pin_worker(at.index()) : placement_->unpin();
    }
    if (options_.on_thread_start) {
      options_.on_thread_start(at.index());
    }
    work();
    if (options_.on_thread_stop) {
      options_.on_thread_stop(at.index());
    }
  };
  return options_.thread_factory ? options_.thread_factory(body) : std::thread(body);
}

void runtime_core::start_threads(std::size_t wanted) {
  if (threads_ == 0) {
    take_signals();
    watch_for_stalls();
  }
  if (threads_ == 0 && !placement_ && !provider_ && options_.pinning != pinning::none) {
    make_placement();
  }
  while (threads_ < wanted) {
    try {
      start_thread();
    } catch (const std::system_error& failed) {
      if (threads_ == 0) {
        throw std::system_error(failed.code(), "runtime: no worker thread could be started");
      }
      return;  // fewer workers do the work
    } catch (const std::bad_alloc&) {
      if (threads_ == 0) {
        throw;
      }
      return;
    }
  }
}

bool runtime_core::wake_sleeper() noexcept {
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    if (each->wake()) {
      return true;
    }
  }
  return false;
}

void runtime_core::wake_all() noexcept {
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    each->wake();
  }
}

void runtime_core::wake_one() noexcept {
  if (!idle_.wants_wake() || wake_sleeper()) {
    return;
  }
  const std::scoped_lock guard(mutex_);
  if (threads_ < workers() && !is_ending()) {
    try {
      start_thread();
    } catch (...) {  // no thread, or no memory for one: fewer workers do the work
    }
  }
}

void runtime_core::ends_search(bool found) noexcept {
  if (idle_.ends_search() && found) {
    wake_sleeper();  // the chain: whoever finds work sends the next one to look
  }
}

// --- memory and figures

void runtime_core::trim() noexcept {
  // relaxed: a request; a worker that misses it sees it when it next parks
  trims_.fetch_add(1, std::memory_order_relaxed);
  trim_unowned();
  frame_cache::trim_depots();
  trim_allocator();
  wake_all();
}

runtime_metrics runtime_core::metrics() {
  runtime_metrics sum;
  sum.workers = workers();
  {
    const std::scoped_lock guard(mutex_);
    sum.threads_started = threads_;
    sum.spare_workers_started = spare_threads_;
    sum.watch_threads = stall_watch_ ? 1 : 0;
  }
  std::uint64_t spawned = 0;
  {
    const std::scoped_lock guard(lobby_mutex_);
    spawned = handed_in_;
  }
  // relaxed: counters only, here and below
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    const worker_slot::counters& counts = each->counts();
    sum.steals_ranges += counts.steals_ranges.load(std::memory_order_relaxed);
    sum.steals_children += counts.steals_children.load(std::memory_order_relaxed);
    sum.steals_resumed += counts.steals_resumed.load(std::memory_order_relaxed);
    sum.parks += counts.parks.load(std::memory_order_relaxed);
    sum.wakes += counts.wakes.load(std::memory_order_relaxed);
    sum.deputies_started += each->deputies_.started();
    if (event_loop* loop = each->loop()) {
      ++sum.loops_created;
      sum.frames_live += loop->execution().frames.frames_live();
      sum.frames_peak += loop->execution().frames.frames_peak();
      spawned += loop->live().added();
    }
  }
  sum.steals = sum.steals_ranges + sum.steals_children + sum.steals_resumed;
  sum.stand_ins = provider_ ? provider_->stand_ins() : 0;
  sum.stalls = stalls_.load(std::memory_order_relaxed);
  sum.blocking_threads_started = blocking_.threads_started();
  sum.tasks_spawned = spawned;
  const std::uint64_t live = live_tasks();
  sum.tasks_finished = spawned > live ? spawned - live : 0;
  return sum;
}

}  // namespace harrier::detail
