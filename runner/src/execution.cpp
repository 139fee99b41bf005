// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/execution.hpp>

#include <harrier/detail/task_record.hpp>
#include <harrier/detail/transfer.hpp>

#include <pthread.h>

#include <utility>

namespace harrier::detail {

constinit thread_local execution* running_execution = nullptr;
constinit thread_local worker_slot* running_slot = nullptr;
constinit thread_local frame_cache* running_frames = &no_frames.cache;
constinit thread_local std::uint32_t transfers_left = 1;

namespace {

// A forked child does not inherit the running loop: its other threads are gone, and the loop is the
// parent's.
[[maybe_unused]] const int forget_in_child = ::pthread_atfork(nullptr, nullptr, [] {
  set_running(nullptr);
  transfers_left = 1;
});

}  // namespace

void* allocate_frame_slowly(std::size_t bytes) {
  execution* at = here();
  return at != nullptr ? at->frames.allocate_frame(bytes) : allocate_unowned_frame(bytes);
}

void free_frame_slowly(void* frame, std::size_t bytes) noexcept {
  if (execution* at = here()) {
    at->frames.free_frame(frame, bytes);
  } else {
    free_unowned_frame(frame, bytes);
  }
}

void resume_bounced(execution& at) {
  do {
    const std::coroutine_handle<> next = std::exchange(at.bounced, std::coroutine_handle<>{});
    transfers_left = transfer_budget;
    next.resume();
  } while (at.bounced);
}

std::coroutine_handle<> bounce(std::coroutine_handle<> next) noexcept {
  if (execution* at = here()) [[likely]] {
    at->bounced = next;
    return std::noop_coroutine();
  }
  transfers_left = 1;
  execution local;
  const running_scope running(local);
  resume(local, next);
  release_finished(local);
  return std::noop_coroutine();
}

}  // namespace harrier::detail
