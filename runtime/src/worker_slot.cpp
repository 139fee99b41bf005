// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/worker_slot.hpp>

#include <harrier/detail/context_word.hpp>
#include <harrier/detail/given_way.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/seam.hpp>
#include <harrier/detail/thread_backtrace.hpp>

#include <algorithm>
#include <coroutine>
#include <mutex>
#include <thread>
#include <utility>

namespace harrier::detail {

namespace {

constexpr std::uint32_t inbox_interval =
    61;  // prime, so that it beats against no rhythm of the work

}  // namespace

worker_slot::worker_slot(runtime_core& core, std::size_t index, std::size_t slots)
    : core_(core),
      index_(index),
      seed_(static_cast<std::uint32_t>(core.options().seed >> 32 ^ core.options().seed ^
                                       (index * 2654435761u) ^ seam::seed()) |
            1u),
      victims_(index, slots) {
  // A few batches go on even if there is no memory any more.
  batches_.reserve(batches_without_memory);
  former_batches_.reserve(batches_without_memory);
}

worker_slot::~worker_slot() = default;

void worker_slot::enqueue(event_loop& loop, ready_node& node) noexcept {
  worker_slot& slot = *loop.execution().slot;
  const std::uint32_t placing =
      node.operations->stealable ? placing_of(record_of(node)) : task_record::bound;
  if (placing == 0) [[likely]] {
    slot.ready_.push(node);
    slot.core_.notify_local();
  } else {
    slot.enqueue_placed(node, placing);
  }
}

void worker_slot::record_those_given_way() {
  event_loop* const home = loop();  // [slot:loop] first: who sees it sees the owner of the mutex
  if (home == nullptr) {
    return;
  }
  const std::scoped_lock guard(mutex_);
  ready_.for_each_held([home](ready_node& node) {
    if (has_given_way(node)) {
      record_given_way(node, *home);
    }
  });
}

void worker_slot::enqueue_placed(ready_node& node, std::uint32_t placing) noexcept {
  {
    const std::scoped_lock guard(mutex_);
    place_held(node, placing);
  }
  if ((placing & task_record::bound) == 0) {
    core_.notify_local();
  }
}

void worker_slot::place_held(ready_node& node, std::uint32_t placing) noexcept {
  const priority urgency = priority_of(placing);
  const bool is_bound = (placing & task_record::bound) != 0;
  if (urgency == priority::normal) {
    is_bound ? bound_.push_back(node) : ready_.push_held(node);
    return;
  }
  may_have_high_ |= urgency == priority::high;
  ready_class& of = urgency == priority::high ? high_ : low_;
  is_bound ? of.push_bound(node) : of.push_held(node);
}

stealable_queue& worker_slot::open_queue(priority urgency) noexcept {
  switch (urgency) {
    case priority::high:
      return high_.open();
    case priority::low:
      return low_.open();
    case priority::normal:
      break;
  }
  return ready_;
}

bool worker_slot::wake() noexcept {
  // A slot that sleeps has a loop; one that has none yet looks at every queue before it sleeps.
  event_loop* loop = this->loop();
  if (loop != nullptr && sleeper_.wake(loop->parker())) {
    bump(counts_.wakes);
    return true;
  }
  return false;
}

void worker_slot::prepare() {
  if (is_prepared_) {
    return;  // an earlier attempt found no thread
  }
  deque_.make_first_room();
  sort_victims();
  runner_options options;
  options.time = core_.options().time;
  options.exception_handler = core_.options().exception_handler;
  options.grace = duration::zero();
  options.debug = core_.is_debug() ? debug_mode::on : debug_mode::off;  // one answer for all
  options.slow_step = core_.options().slow_step;
  runner_.emplace(std::move(options));
  // The context of whoever needs one more worker is not the worker's, nor is it there any more if a
  // coroutine is just being published.
  context_word none;
  const context_scope nobodys(none);
  event_loop& loop = runner_->loop();
  loop.install(&worker_slot::enqueue, *this, mutex_);
  loop.widen_view(core_.view_);
  if (arena_provider* provider = core_.provider()) {
    loop.parker().redirect(provider->summons(index_));
  }
  is_prepared_ = true;
}

void worker_slot::open() noexcept {
  loop_.store(&runner_->loop(), std::memory_order_release);  // [slot:loop] pairs with loop()
}

void worker_slot::serve() {
  open();
  event_loop& loop = runner_->loop();
  const running_scope running(loop.execution());
  note_thread();
  loop.time().attach();
  while (!core_.is_ending()) {
    if (!serve_once()) {
      park();
    }
  }
  finish();
  thread_id_.store(0, std::memory_order_relaxed);  // a hint
  loop.time().detach();
}

void worker_slot::note_thread() noexcept {
  if (core_.provider() == nullptr) {  // whose threads come and go too often
    thread_id_.store(this_thread_id(), std::memory_order_relaxed);  // a hint
  }
}

/// False: nothing to do, and nobody waits for it.
bool worker_slot::serve_once() {
  if (!deputies_.anyone_waits()) [[likely]] {
    return step() || search() || deputies_.anyone_waits();  // since the step
  }
  deputies_.attend();
  serve_for_others();
  return true;
}

void worker_slot::serve_for_others() {
  const std::uint32_t before = steps_begun();
  if (step() || search() || steps_begun() - before > 1) {  // the last of several finds nothing
    naps_ = 0;
  } else if (core_.provider() != nullptr) {
    std::this_thread::yield();  // to sleep is to leave, there
  } else {
    nap();
  }
}

void worker_slot::wait_in_step(const promise_base& child) noexcept {
  if (!child.join.has_ended()) {
    deputies_.wait_for(child);
  }
}

void worker_slot::finish() noexcept {
  flush();
  for (batch_core* batch : std::exchange(batches_, {})) {
    batch->drop_reference();
  }
  // Every task has ended: what is left are callbacks, and cancels that come too late.
  while (ready_node* node = bound_.pop_front()) {
    if (node->operations->discard != nullptr) {
      node->operations->discard(*node);
    }
  }
}

void worker_slot::collect() {
  core_.look_for_presses();
  loop_.load(std::memory_order_relaxed)->collect();  // this thread wrote it
  if (addressed_.size() != 0) [[unlikely]] {
    core_.take_addressed(*this);
  }
}

// Order of service: high tasks; forked children; new items of high batches; normal tasks, bound ones
// every other turn; what others sent here; new items; low tasks; new items of low batches.
// Goes on while there is something ready, until the next look at the inbox.
bool worker_slot::step() {
  do {
    // relaxed: written by this thread alone
    const std::uint32_t tick = tick_.load(std::memory_order_relaxed) + 1;
    tick_.store(tick, std::memory_order_relaxed);
    if (tick == next_look_) {
      next_look_ += inbox_interval;
      collect();
      core_.take_injected(*this);
      flush();
      if (run_passed_over()) {
        return true;
      }
    }
    if (may_have_high_ && run_high()) [[unlikely]] {
      return true;
    }
    // Bound nodes take every other turn, so that neither they nor the others starve.
    if ((tick & 1) != 0 && step_bound()) {
      return true;
    }
    if (!run_ready()) {
      return step_new();
    }
  } while (steps_begun() + 1 != next_look_);
  return true;
}

bool worker_slot::step_new() {
  collect();
  if (const std::size_t injected = core_.injected(); injected != 0) {
    intake_.let_fill(injected);
  }
  if (has_ready() || core_.take_injected(*this) || finds_high_batch()) {
    return true;
  }
  return run_new_items(priority::normal) || run_low();
}

bool worker_slot::help() {
  collect();
  if ((may_have_high_ && run_high()) || run_ready() || step_node(low_.pop())) {
    return true;
  }
  flush();  // what is waited for may be a batch of which the last items have ended here
  return false;
}

bool worker_slot::run_high() {
  if (step_node(high_.pop())) {
    return true;
  }
  if (!deque_.empty()) {
    return false;  // children first: depth before breadth
  }
  if (batches_of(priority::high).count != 0) {
    collect();
    if (run_new_items(priority::high)) {
      return true;
    }
  }
  may_have_high_ = high_.in_use();
  return false;
}

bool worker_slot::run_low() {
  return step_node(low_.in_use() ? low_.pop() : nullptr) ||
         (batches_of(priority::low).count != 0 && run_new_items(priority::low));
}

/// One step in 61 is for a class that others keep from running: low and normal take turns. Tasks that
/// never stop to yield, say until a later item has run, keep new items from starting: theirs is one step
/// in 1952, too few to fill a window with items while earlier ones could end.
bool worker_slot::run_passed_over() {
  if (finds_high_batch()) {
    return false;
  }
  const std::uint32_t look = steps_begun() / inbox_interval;
  if (look % 2 == 0) {
    return run_low();
  }
  return (may_have_high_ && run_ready()) ||
         ((may_have_high_ || look % 32 == 31) && run_new_items(priority::normal));
}

void worker_slot::flush_before_node(ready_node& node) noexcept {
  if (!task_record::brings_cancel(node)) {  // which runs nothing of the user's
    flush_before_step(item_record::batch_of(node));
  }
}

/// What event_loop::step() does, without the call.
[[gnu::always_inline]] inline void worker_slot::run_node(ready_node& node) {
  // An item that has given way does it itself: it knows its batch.
  if (unflushed_ != nullptr && !has_given_way(node)) [[unlikely]] {
    flush_before_node(node);
  }
  event_loop& loop = *loop_.load(std::memory_order_relaxed);  // this thread wrote it
  if (loop.is_debug()) [[unlikely]] {
    loop.step(node);
    return;
  }
  node.operations->run(node, loop.execution());
  release_finished(loop.execution());
}

[[gnu::always_inline]] inline bool worker_slot::run_ready() {
  if (promise_base* child = deque_.pop()) {
    run_child(*child);
    return true;
  }
  if (ready_node* node = ready_.pop()) {
    run_node(*node);
    return true;
  }
  return step_bound();
}

[[gnu::always_inline]] inline bool worker_slot::step_bound() {
  if (bound_.empty()) {
    return false;
  }
  run_bound();
  return true;
}

/// One bound node; but of cancels as many as make enough tasks ready for a thief, who would otherwise
/// be woken for each, and find one or none.
void worker_slot::run_bound() {
  ready_node& node = *bound_.pop_front();
  const bool brings_cancel = task_record::brings_cancel(node);
  run_node(node);
  if (brings_cancel) {
    bring_more_cancels();
  }
}

/// Bounded, as not every cancel makes a task ready.
void worker_slot::bring_more_cancels() {
  for (std::size_t brought = 1; brought < cancels_at_once && ready_.size() < cancels_at_once;
       ++brought) {
    if (bound_.empty() || !task_record::brings_cancel(*bound_.front())) {
      return;
    }
    run_node(*bound_.pop_front());
  }
}

bool worker_slot::step_node(ready_node* node) {
  if (node != nullptr) {
    run_node(*node);
  }
  return node != nullptr;
}

void worker_slot::run_child(promise_base& child) {
  flush_before_step(nullptr);
  // This thread wrote it.
  execution& at = loop_.load(std::memory_order_relaxed)->execution();
  child.started_as = role::stolen;
  context_word context;  // until the child has a record
  resume(at, child.handle(), context);
  release_finished(at);
}

/// Renews the list of batches. True: it has changed, and has a high one.
bool worker_slot::finds_high_batch() {
  if (batches_version_ == core_.batches_version()) {
    return false;
  }
  refresh_batches();
  return batches_of(priority::high).count != 0;
}

bool worker_slot::run_new_items(priority urgency) {
  batch_class& these = batches_of(urgency);
  for (std::size_t tried = 0; tried < these.count; ++tried) {
    batch_core& batch = *batches_[these.first + these.next++ % these.count];
    flush_before_step(&batch);
    if (batch.run_chunk(*this)) {
      return true;
    }
  }
  flush();
  return false;
}

void worker_slot::refresh_batches() noexcept {
  batches_version_ = core_.copy_batches(former_batches_);
  flush();
  batches_.swap(former_batches_);
  for (batch_core* batch : former_batches_) {
    batch->drop_reference();
  }
  former_batches_.clear();
  std::sort(batches_.begin(), batches_.end(), [](const batch_core* one, const batch_core* other) {
    return one->urgency() < other->urgency();
  });
  for (batch_class& each : batch_classes_) {
    each.count = 0;
  }
  for (std::size_t at = batches_.size(); at-- != 0;) {
    batch_class& of = batches_of(batches_[at]->urgency());
    of.first = at;
    ++of.count;
  }
  may_have_high_ |= batches_of(priority::high).count != 0;
}

void worker_slot::flush() noexcept {
  while (batch_lane* lane = std::exchange(unflushed_, nullptr)) {
    lane->batch->flush(*lane);
  }
}

}  // namespace harrier::detail
