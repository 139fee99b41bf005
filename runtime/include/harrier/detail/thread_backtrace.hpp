// SPDX-License-Identifier: Apache-2.0
// Where another thread of this process is, asked by a signal that it answers itself.
#pragma once

#include <array>
#include <chrono>
#include <string>

namespace harrier::detail {

/// What a thread says of itself in the handler. No frame and no object of it is followed afterwards.
struct thread_capture {
  thread_capture() noexcept : frames() {}

  const void* context = nullptr;  ///< execution::context: of the task that runs; null: none
  std::array<void*, 48> frames;
  int depth = 0;
};

/// Sends SIGURG, which is ignored by default, and waits for the answer. False: the program has a handler for
/// SIGURG, the thread is gone, or did not answer in time. One at a time.
///
/// The handler calls backtrace(), which is safe there with glibc from 2.35 on: it neither locks nor
/// allocates once it has been called before. With others, and in a simulation, the answer is always no.
bool capture(int thread_id, thread_capture& out, std::chrono::milliseconds patience);
/// One line for each frame, from the code that was interrupted.
std::string frames_in_words(const thread_capture& of);
/// The system's number of this thread.
int this_thread_id() noexcept;

}  // namespace harrier::detail
