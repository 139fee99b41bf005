// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/frame_count.hpp>

#include <harrier/detail/spin_mutex.hpp>

#include <atomic>
#include <mutex>

namespace harrier {
namespace detail {

namespace {

constinit std::atomic<std::int64_t> unowned{0};  // counter only
constinit spin_mutex caches_mutex;
constinit counted_frames* caches = nullptr;  // guarded by caches_mutex

}  // namespace

void count_unowned_frames(std::int64_t by) noexcept {
  unowned.fetch_add(by, std::memory_order_relaxed);
}

counted_frames::counted_frames(frame_cache& cache) noexcept : cache_(cache) {
  const std::scoped_lock guard(caches_mutex);
  next_ = caches;
  if (caches != nullptr) {
    caches->previous_ = this;
  }
  caches = this;
}

counted_frames::~counted_frames() {
  const std::scoped_lock guard(caches_mutex);
  if (previous_ != nullptr) {
    previous_->next_ = next_;
  } else {
    caches = next_;
  }
  if (next_ != nullptr) {
    next_->previous_ = previous_;
  }
  count_unowned_frames(cache_.frames_live());
}

}  // namespace detail

std::size_t live_frames() noexcept {
  const std::scoped_lock guard(detail::caches_mutex);
  std::int64_t sum = detail::unowned.load(std::memory_order_relaxed);  // counter only
  for (const detail::counted_frames* each = detail::caches; each != nullptr; each = each->next_) {
    sum += each->cache_.frames_live();
  }
  return sum < 0 ? 0 : static_cast<std::size_t>(sum);
}

}  // namespace harrier
