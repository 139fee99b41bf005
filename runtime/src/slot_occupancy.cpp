// SPDX-License-Identifier: Apache-2.0
// A slot whose threads come and go: what they find, and what they leave behind.
#include <harrier/detail/arena_provider.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <chrono>
#include <memory>
#include <mutex>

namespace harrier::detail {

namespace {

constexpr std::uint32_t steps_between_looks = 61;  // at the clock: 25 ns each

/// The hooks of the user's, in a pair however the thread leaves.
class hooked_scope {
 public:
  hooked_scope(const runtime_options& options, std::size_t index)
      : options_(options), index_(index) {
    if (options_.on_thread_start) {
      options_.on_thread_start(index_);
    }
  }
  ~hooked_scope() {
    if (options_.on_thread_stop) {
      options_.on_thread_stop(index_);
    }
  }
  hooked_scope(const hooked_scope&) = delete;
  hooked_scope& operator=(const hooked_scope&) = delete;

 private:
  const runtime_options& options_;
  const std::size_t index_;
};

}  // namespace

worker_slot::leaves worker_slot::occupy(duration slice) {
  const hooked_scope hooks(core_.options(), index_);
  if (loop() == nullptr) {
    open();
  }
  if (is_announced_) {
    stay_after_all();
  }
  const running_scope running(runner_->loop().execution());
  const auto until = std::chrono::steady_clock::now() + slice;  // the machine's time, whatever the
      // slot's clock: it is about threads
  std::uint32_t looked_at = steps_begun();
  while (!core_.is_ending()) {
    if (serve_once()) {
      if (steps_begun() - looked_at >= steps_between_looks) {
        looked_at = steps_begun();
        if (std::chrono::steady_clock::now() >= until) {
          flush();
          return leaves::with_work;
        }
      }
    } else if (park()) {
      is_announced_ = true;
      if (keep_timers()) {
        return leaves::idle_or_ended;
      }
      stay_after_all();  // no thread for the timers: this one looks after them
      core_.provider()->seat_of(index_).doze();
    }
  }
  return leaves::idle_or_ended;
}

/// Undoes what park() announced.
void worker_slot::stay_after_all() noexcept {
  is_announced_ = false;
  runner_->loop().parker().withdraw();
  core_.idle().rises(sleeper_);
  if (has_kept_timers_) {
    has_kept_timers_ = false;
    core_.provider()->timers().forget(index_);
  }
}

/// False: nobody can.
bool worker_slot::keep_timers() noexcept {
  const time_point deadline = next_deadline();
  if (deadline == time_point::max()) {
    return true;
  }
  has_kept_timers_ = core_.provider()->timers().keep(index_, deadline);
  return has_kept_timers_;
}

void worker_slot::close() noexcept {
  if (is_prepared_) {
    const running_scope running(runner_->loop().execution());
    finish();
  }
  deputies_.close();
}

void runtime_core::vacate_all() noexcept {
  {
    const std::scoped_lock guard(mutex_);  // who begins with a slot does so under it, unless we end
  }
  provider_->close();
  for (const std::unique_ptr<worker_slot>& each : slots_) {
    each->close();
  }
}

}  // namespace harrier::detail
