// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/sync/latch.hpp>

#include <cstddef>

namespace harrier {

/// Counts what is under way, and lets tasks wait until nothing is: `wait_group`, and
/// `local_wait_group` for one loop. Beside a channel it does what asyncio's `task_done()` and `join()`
/// do: add() before each send, done() after each item's work, wait() for join.
///
/// Order     each time the count reaches 0, all who wait then are woken, even if it rises at once.
/// Errors    invalid_count: negative. too_many_releases: done() more often than add().
/// The rest is as for a latch.
template <class Family>
class basic_wait_group final : public detail::countdown<Family> {
 public:
  explicit basic_wait_group(std::ptrdiff_t count = 0) : detail::countdown<Family>(count) {}

  void add(std::ptrdiff_t by = 1) { this->add_count(by); }
  void done() { this->subtract(1); }
};

using wait_group = basic_wait_group<detail::any_loop>;
using local_wait_group = basic_wait_group<detail::one_loop>;

}  // namespace harrier
