// SPDX-License-Identifier: Apache-2.0
// What a running coroutine needs of the thread it runs on, behind a thread-local pointer; a second one
// leads to the worker's slot, which a fork and its join ask for.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/frame_cache.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace harrier {
class event_loop;
}

namespace harrier::detail {

class context_word;
class task_record;
class worker_slot;

/// How many transfers may nest before the loop takes over again. On g++ below -O2, and under its
/// sanitizers, a transfer is a call that keeps its stack frame.
#if defined(HARRIER_SANITIZED)
inline constexpr std::uint32_t transfer_budget = 64;
#else
inline constexpr std::uint32_t transfer_budget = 256;
#endif

/// One per event loop; owned by the thread that runs the loop.
struct execution {
  std::coroutine_handle<> bounced;  ///< what the loop resumes next, without a queue
  task_record* finished = nullptr;  ///< a root that ended in this step; released by the loop
  /// Tasks that have left the list of live ones, or are about to, and whose frames have not gone.
  std::atomic<std::uint32_t> ending{0};
  event_loop* loop = nullptr;
  worker_slot* slot = nullptr;  ///< set when a runtime's worker runs the loop
  std::uint32_t eager_steps = 0;  ///< first steps that run inside spawn(), one in another
  context_word* context = nullptr;  ///< of what runs; null between steps
  frame_cache frames;
};

extern HARRIER_EXPORT constinit thread_local execution* running_execution
    __attribute__((tls_model("initial-exec")));

/// The slot of running_execution, or null: written with it.
extern HARRIER_EXPORT constinit thread_local worker_slot* running_slot
    __attribute__((tls_model("initial-exec")));

/// The frames of running_execution, written with it; on a thread that runs no loop one that has none and
/// keeps none, so that nobody has to ask whether there is one.
extern HARRIER_EXPORT constinit thread_local frame_cache* running_frames
    __attribute__((tls_model("initial-exec")));

/// Transfers until the next bounce. On a thread that runs no loop each one bounces.
extern HARRIER_EXPORT constinit thread_local std::uint32_t transfers_left
    __attribute__((tls_model("initial-exec")));

/// The execution of this thread's running loop, or null. Never kept across a suspension.
HARRIER_READS_THREAD_LOCAL inline execution* here() noexcept { return running_execution; }

inline void set_running(execution* next) noexcept {
  running_execution = next;
  running_slot = next != nullptr ? next->slot : nullptr;
  running_frames = next != nullptr ? &next->frames : &no_frames.cache;
}

/// Marks `next` as running on this thread for a scope.
class running_scope {
 public:
  explicit running_scope(execution& next) noexcept
      : previous_(running_execution), transfers_left_(transfers_left) {
    set_running(&next);
  }
  ~running_scope() {
    set_running(previous_);
    transfers_left = transfers_left_;
  }
  running_scope(const running_scope&) = delete;
  running_scope& operator=(const running_scope&) = delete;

 private:
  execution* previous_;
  std::uint32_t transfers_left_;
};

/// No loop runs here, or its cache has none, or enough, of the size.
HARRIER_EXPORT HARRIER_NOINLINE void* allocate_frame_slowly(std::size_t bytes);
HARRIER_EXPORT HARRIER_NOINLINE void free_frame_slowly(void* frame, std::size_t bytes) noexcept;

// One call for all that is rare, so that nothing of it is prepared before it is known to be needed.
HARRIER_READS_THREAD_LOCAL inline void* allocate_frame(std::size_t bytes) {
  if (void* frame = running_frames->take_frame(bytes)) [[likely]] {
    return frame;
  }
  return allocate_frame_slowly(bytes);
}

HARRIER_READS_THREAD_LOCAL inline void free_frame(void* frame, std::size_t bytes) noexcept {
  if (!running_frames->keep_frame(frame, bytes)) [[unlikely]] {
    free_frame_slowly(frame, bytes);
  }
}

}  // namespace harrier::detail
