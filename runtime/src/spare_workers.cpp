// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/spare_workers.hpp>

#include <harrier/detail/runtime_core.hpp>

#include <exception>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>

namespace harrier::detail {

void check_spare_workers(const runtime_options& options) {
  if (options.spare_workers == 0) {
    return;
  }
  const std::string what = "runtime: spare_workers is " + std::to_string(options.spare_workers);
  if (options.provider == thread_provider::task_arena) {
    throw std::invalid_argument(what +
                                "; with thread_provider::task_arena it must be 0: stand-ins "
                                "come by themselves when oneTBB sends no thread");
  }
  if (options.stalled_after <= duration::zero()) {
    throw std::invalid_argument(what +
                                ", but stalled_after, which says when a worker counts as "
                                "blocked, is not set");
  }
  if (options.spare_workers > max_workers - options.workers) {
    throw std::invalid_argument(what + "; together with the " + std::to_string(options.workers) +
                                " workers it can be at most " + std::to_string(max_workers));
  }
}

bool runtime_core::has_thread(std::size_t slot) const noexcept {
  // relaxed: a thread that was started stays; acquire: [core:spare]
  return slot < workers() ? slot < threads_.load(std::memory_order_relaxed)
                          : slot - workers() < spare_threads_.load(std::memory_order_acquire);
}

/// As rescue(). Throws std::bad_alloc, std::system_error.
bool runtime_core::start_spare_worker(const std::string& culprits, bool was_told) {
  const std::size_t most = options_.spare_workers;
  // Made before the thread: what is told is that there is one.
  std::string text = "every worker is in a step that blocks (" + culprits + "); ";
  const std::size_t started = spare_threads_;  // written by this thread
  if (started == most) {
    if (!was_told) {
      lobby_.report(text + "no more spare workers may be started", nullptr, {});
    }
    return true;
  }
  text +=
      "spare worker " + std::to_string(started + 1) + " of " + std::to_string(most) + " started";
  {
    const std::scoped_lock guard(mutex_);
    if (is_ending()) {
      return true;
    }
    worker_slot& at = slot(workers() + started);
    at.prepare();
    at.thread_ = make_thread(at, [&at] { at.serve(); });
    // release: [core:spare] who sees the number finds the slot prepared
    spare_threads_.store(started + 1, std::memory_order_release);
  }
  lobby_.report(std::move(text), nullptr, {});
  return false;
}

void runtime_core::wake_spare_workers() noexcept {
  // acquire: [core:spare]. One that is not seen yet looks at every queue before it sleeps.
  const std::size_t started = spare_threads_.load(std::memory_order_acquire);
  for (std::size_t s = 0; s < started; ++s) {
    slot(workers() + s).wake();
  }
}

bool runtime_core::rescue(const std::string& culprits, bool was_told) noexcept {
  const std::size_t before = threads_;
  if (before < workers()) {
    wake_one();  // the regular ones come first
    if (threads_ != before) {
      return false;
    }
  }
  try {
    return start_spare_worker(culprits, was_told);
  } catch (const std::exception&) {  // no thread, or no memory: tried again at the next look
    if (!was_told) {
      lobby_.report("runtime: a spare worker could not be started", std::current_exception(), {});
    }
  }
  return true;
}

}  // namespace harrier::detail
