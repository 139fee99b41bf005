// SPDX-License-Identifier: Apache-2.0
#include <harrier/event_loop.hpp>

#include <harrier/cancellation.hpp>
#include <harrier/detail/callback_node.hpp>
#include <harrier/detail/press_target.hpp>
#include <harrier/detail/promise.hpp>

#include <algorithm>
#include <memory>
#include <new>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

namespace harrier {

namespace {

using detail::callback_node;
using detail::ready_list;
using detail::ready_node;
using detail::task_record;

void discard(ready_node& node) noexcept {
  if (node.operations->discard != nullptr) {
    node.operations->discard(node);
  }
}

/// False: no memory, and `told` is as it was: it is told out of turn.
bool hold(std::vector<error_report>& held, error_report& told) noexcept {
  try {
    held.push_back(std::move(told));
    return true;
  } catch (const std::bad_alloc&) {  // said by the result
    return false;
  }
}

/// A loop that runs on this thread for a scope: the marker, the clock, the flag.
class running_loop {
 public:
  running_loop(event_loop& loop, std::atomic<bool>& flag) noexcept
      : loop_(loop), flag_(flag), scope_(loop.execution()) {
    loop_.time().attach();
    flag_.store(true, std::memory_order_relaxed);  // hint to readers
  }
  ~running_loop() {
    flag_.store(false, std::memory_order_relaxed);  // hint to readers
    loop_.time().detach();
  }
  running_loop(const running_loop&) = delete;
  running_loop& operator=(const running_loop&) = delete;

 private:
  event_loop& loop_;
  std::atomic<bool>& flag_;
  detail::running_scope scope_;
};

}  // namespace

event_loop::event_loop(clock& time, exception_handler handler)
    : clock_(&time),
      handler_(handler ? std::make_shared<const exception_handler>(std::move(handler)) : nullptr),
      counted_frames_(execution_.frames) {
  execution_.loop = this;
}

event_loop::~event_loop() {
  if (!closed_) {
    close(duration::zero());
  }
  while (posting_.load(std::memory_order_acquire) != 0) {  // [loop:posting]
    std::this_thread::yield();
  }
}

void event_loop::install(enqueue_hook hook, detail::worker_slot& slot,
                         detail::owned_mutex& guard) noexcept {
  hook_ = hook;
  execution_.slot = &slot;
  guard.set_owner(execution_);
  live_.guard_with(guard);
}

void event_loop::check_thread(const char* call) const {
  // A worker's loop always runs; the flag is for those that run now and then.
  if (detail::here() != &execution_ && (is_running() || hook_ != nullptr)) {
    throw wrong_thread(call);
  }
}

void event_loop::post(std::function<void()> callback) {
  auto node =
      std::make_unique<callback_node>(*this, std::move(callback), callback_node::phase::queued, 1u);
  if (!post_node(*node)) {
    throw loop_closed();
  }
  std::ignore = node.release();  // the loop owns it now
}

callback_handle event_loop::call_soon(std::function<void()> callback) {
  if (debug_) {
    check_thread("event_loop::call_soon");
  }
  if (closed_) {
    throw loop_closed();
  }
  // Two references: the loop's and the handle's.
  auto& node = *new callback_node(*this, std::move(callback), callback_node::phase::queued, 2u);
  enqueue(node);
  return callback_handle(node);
}

callback_handle event_loop::call_later(duration delay, std::function<void()> callback) {
  return call_at(deadline_after(now(), delay), std::move(callback));
}

callback_handle event_loop::call_at(time_point when, std::function<void()> callback) {
  check_thread("event_loop::call_at");
  if (closed_) {
    throw loop_closed();
  }
  auto node =
      std::make_unique<callback_node>(*this, std::move(callback), callback_node::phase::timed, 2u);
  node->when = when;
  timers_.insert(*node, when);
  return callback_handle(*node.release());
}

void event_loop::stop() noexcept { stopping_ = true; }

void event_loop::enqueue(ready_node& node) noexcept {
  if (detail::here() != &execution_) {
    if (!post_node(node)) {
      discard(node);
    }
  } else if (hook_ != nullptr) {
    hook_(*this, node);
  } else {
    ready_.push_back(node);
  }
}

bool event_loop::post_node(ready_node& node) noexcept {
  // Once pushed, the node may run and end all that the loop is there for: the destructor waits for us.
  posting_.fetch_add(1, std::memory_order_relaxed);  // seen by whoever has seen the node
  const detail::inbox::pushed how = inbox_.push(node);
  if (how == detail::inbox::pushed::first) {
    parker_.unpark();  // else the first one wakes
  }
  posting_.fetch_sub(1, std::memory_order_release);  // [loop:posting]
  return how != detail::inbox::pushed::refused;
}

void event_loop::step(ready_node& node) {
  if (debug_) [[unlikely]] {
    watched_step(node);
    return;
  }
  node.operations->run(node, execution_);
  detail::release_finished(execution_);
}

void event_loop::watched_step(ready_node& node) {
  error_report slow = detail::describe_ready(node);  // before it runs: it may be gone afterwards
  const time_point start = now();
  node.operations->run(node, execution_);
  detail::release_finished(execution_);
  const duration took = now() - start;
  if (took >= slow_step_) {
    const auto milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(took).count();
    slow.message += " took " + std::to_string(milliseconds) + " ms";
    report(std::move(slow));
  }
}

void event_loop::collect() {
  if (!inbox_.empty()) {
    ready_list posted;
    inbox_.take_all(posted);
    if (hook_ == nullptr) {
      ready_.splice_back(posted);
    } else {
      while (ready_node* node = posted.pop_front()) {
        hook_(*this, *node);
      }
    }
  }
  if (!timers_.empty()) {
    const time_point now = clock_->now();
    while (detail::timed_suspension* node = timers_.pop_due(now)) {
      if (node->operations->expire != nullptr) {
        node->operations->expire(*node);
      } else {
        detail::wake(*node);
      }
    }
  }
}

void event_loop::run_turn() {
  ready_list turn;
  turn.splice_back(ready_);
  while (ready_node* node = turn.pop_front()) {
    step(*node);
  }
}

void event_loop::wait_until(time_point latest) {
  const time_point until = std::min(latest, timers_.next_deadline());
  if (longest_silence_ == duration::zero() || sleep_watched(until)) {
    sleep_until(until);
  }
}

void event_loop::sleep_until(time_point latest) {
  const std::uint32_t ticket = parker_.announce();
  if (!inbox_.empty() || is_pressed() || wants_dump()) {
    parker_.withdraw();
    return;
  }
  const bool alone = presses_ == nullptr && dumps_ == nullptr;  // else a signal may wake it
  try {
    clock_->wait(parker_, ticket, latest, alone);
  } catch (const deadlock& bare) {
    throw explained(bare);
  }
}

bool event_loop::is_pressed() const noexcept {
  return presses_ != nullptr && presses_->is_pressed();
}

/// The first press of a run cancels main; another leaves the run, and main to the next one.
int event_loop::take_press(task_record& main, bool is_first) {
  const std::uint32_t presses = presses_->take();
  if (is_first) {
    main.cancel(nullptr);
  }
  if (presses > 1 || !is_first) {
    throw interrupted(presses_->signal());
  }
  return presses_->signal();
}

int event_loop::run_until_complete(task_record& main) {
  const running_loop running(*this, running_);
  int signal = 0;
  if (is_pressed()) {
    presses_->take();  // between two runs nobody was there to take them: together, one press
    main.cancel(nullptr);
    signal = presses_->signal();
  }
  collect();
  enqueue(main);
  for (;;) {
    run_turn();
    if (main.is_done()) {
      run_turn();  // what was ready when main ended still runs; what that queues waits
      stopping_ = false;
      return signal;
    }
    if (std::exchange(stopping_, false)) {
      throw loop_stopped();
    }
    if (is_pressed()) [[unlikely]] {
      signal = take_press(main, signal == 0);
    }
    if (wants_dump()) [[unlikely]] {
      dump_for_signal();
    }
    if (ready_.empty()) {
      collect();
      if (ready_.empty()) {
        wait_until(time_point::max());
      }
    }
    collect();
  }
}

std::vector<task_ref> event_loop::all_tasks() {
  std::vector<task_ref> found;
  live_.for_each([&](task_record& record) { found.emplace_back(record); });
  std::reverse(found.begin(), found.end());
  return found;
}

void event_loop::cancel_all() noexcept {
  live_.for_each([](task_record& record) { record.cancel(nullptr); });
}

/// Runs until no task is left, at most until then. A press ends it early.
void event_loop::run_while_live(time_point latest) {
  while (live_.size() != 0 && now() < latest && !is_pressed()) {
    collect();
    run_turn();
    if (live_.size() != 0 && ready_.empty() && inbox_.empty()) {
      wait_until(latest);
    }
  }
}

void event_loop::end_all(duration drain, duration limit) {
  // A task that ignores its cancel is named when the limit is over, or at a press, and then cancelled
  // again at each of its suspensions; one that ignores even this is given up after as many rounds.
  constexpr unsigned most_rounds = 1000;
  const time_point start = now();
  time_point patience = deadline_after(start, limit);
  if (drain > duration::zero()) {
    run_while_live(std::min(patience, deadline_after(start, drain)));
  }
  unsigned rounds = 0;
  std::size_t swept = live_.added();
  cancel_all();
  while (live_.size() != 0 && rounds < most_rounds) {
    collect();
    run_turn();
    if (is_pressed()) {
      presses_->take();
      patience = now();
    }
    if (live_.added() != swept) {
      swept = live_.added();
      live_.for_each([](task_record& record) {
        if (!record.was_cancelled()) {
          record.cancel(nullptr);
        }
      });
    } else if (live_.size() != 0 && ready_.empty() && inbox_.empty()) {
      if (now() < patience) {
        wait_until(patience);
      } else {
        if (rounds++ == 0) {
          std::vector<error_report>* held = std::exchange(held_reports_, nullptr);
          name_live(
              "ignores its cancel while the loop closes");  // said at once: it may take longer
          held_reports_ = held;
        }
        cancel_all();
      }
    }
  }
}

void event_loop::name_live(const char* what) noexcept {
  // Collected first: the handler runs code of the user's, which must not find the list locked.
  std::vector<error_report> reports;
  try {
    const std::string message = std::string("a task ") + what;
    live_.for_each(
        [&](task_record& record) { reports.push_back(detail::describe(record, message)); });
  } catch (const std::bad_alloc&) {  // then the rest stays unnamed
  }
  for (error_report& each : reports) {
    report(std::move(each));
  }
}

/// Of the tasks that are about to be destroyed: while one goes, and unlocks what it holds, another must
/// not be given it.
void event_loop::end_waits_for_good() noexcept {
  live_.for_each([this](task_record& record) {
    if (const ready_node* granted = detail::end_wait_for_good(record)) {
      while (!ready_.contains(*granted)) {
        collect();  // another thread is about to post it
      }
    }
  });
  // What some were granted, by others or because those before them gave up, goes back.
  collect();
  while (ready_node* node = ready_.pop_front()) {
    discard(*node);
  }
}

void event_loop::close(duration drain, duration limit) {
  if (closed_) {
    return;
  }
  const running_loop running(*this, running_);
  std::vector<error_report> reports;
  held_reports_ = &reports;
  try {
    end_all(drain, limit);
  } catch (const deadlock&) {  // what is left waits for ever: named below
  }
  held_reports_ = nullptr;
  for (const error_report& each : reports) {
    detail::report_to(handler_.get(), each);
  }
  if (live_.size() != 0) {
    name_live("could not be ended and is destroyed where it waits");
    end_waits_for_good();
    while (task_record* stuck = live_.any()) {
      detail::destroy_where_it_waits(*stuck);
    }
    ready_list woken;  // they waited for one another: none of them is left
    woken.splice_back(ready_);
  }
  closed_ = true;
  while (detail::timed_suspension* node = timers_.pop_due(time_point::max())) {
    if (node->record == nullptr) {
      static_cast<callback_node*>(node)
          ->drop_timed();  // no task is left that could wait for a time
    }
  }
  ready_list left;
  inbox_.close(left);
  left.splice_back(ready_);
  while (ready_node* node = left.pop_front()) {
    discard(*node);
    left.splice_back(ready_);
  }
}

void event_loop::report(std::string message, std::exception_ptr error,
                        std::string task_name) noexcept {
  report(error_report(std::move(message), std::move(error), std::move(task_name)));
}

void event_loop::report(error_report told) noexcept {
  if (held_reports_ == nullptr || !hold(*held_reports_, told)) {
    detail::report_to(handler_.get(), told);
  }
}

event_loop& this_loop() {
  detail::execution* at = detail::here();
  if (at == nullptr || at->loop == nullptr) {
    throw no_running_loop("this call");
  }
  return *at->loop;
}

}  // namespace harrier
