// SPDX-License-Identifier: Apache-2.0
// How large the frames of a contender's coroutines are.
#pragma once

#include <harrier/task.hpp>

#include <tbb/scalable_allocator.h>

namespace bench {

/// The bytes of the block that holds the frame of `made`, which has not started: a multiple of 64. For
/// threads that run no loop.
template <class T>
double frame_bytes(harrier::task<T> made) {
  return static_cast<double>(
      scalable_msize(harrier::detail::task_access::promise(made).handle().address()));
}

}  // namespace bench
