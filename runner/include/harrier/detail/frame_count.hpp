// SPDX-License-Identifier: Apache-2.0
// How many coroutine frames live in the whole process: each cache counts its own, and this adds up.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/frame_cache.hpp>

#include <cstddef>
#include <cstdint>

namespace harrier {

/// Coroutine frames alive in this process. Exact while no coroutine runs; otherwise a snapshot.
HARRIER_EXPORT std::size_t live_frames() noexcept;

namespace detail {

/// Frames made (+) or freed (-) by a thread that is past its end and has no cache any more.
HARRIER_EXPORT void count_unowned_frames(std::int64_t by) noexcept;

/// Enters a cache into the sum for as long as it lives.
class HARRIER_EXPORT counted_frames {
 public:
  explicit counted_frames(frame_cache& cache) noexcept;
  ~counted_frames();
  counted_frames(const counted_frames&) = delete;
  counted_frames& operator=(const counted_frames&) = delete;

 private:
  friend std::size_t harrier::live_frames() noexcept;

  frame_cache& cache_;
  counted_frames* previous_ = nullptr;
  counted_frames* next_ = nullptr;
};

}  // namespace detail
}  // namespace harrier
