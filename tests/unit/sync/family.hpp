// SPDX-License-Identifier: Apache-2.0
// What the tests of the primitives share: both families as types, each on a lone runner.
#pragma once

#include <harrier/runner.hpp>
#include <harrier/sync/barrier.hpp>
#include <harrier/sync/channel.hpp>
#include <harrier/sync/condition.hpp>
#include <harrier/sync/event.hpp>
#include <harrier/sync/latch.hpp>
#include <harrier/sync/mutex.hpp>
#include <harrier/sync/once_flag.hpp>
#include <harrier/sync/semaphore.hpp>
#include <harrier/sync/shared_mutex.hpp>
#include <harrier/sync/wait_group.hpp>

#include "unit/support.hpp"

#include <functional>
#include <memory>
#include <string>

namespace harrier::test {

template <class Family>
struct primitives_of {
  using mutex = basic_mutex<Family>;
  using shared_mutex = basic_shared_mutex<Family>;
  using condition = basic_condition<Family>;
  using event = basic_event<Family>;
  using auto_reset_event = basic_auto_reset_event<Family>;
  using semaphore = basic_semaphore<Family>;
  using bounded_semaphore = basic_bounded_semaphore<Family>;
  using barrier = basic_barrier<Family>;
  using latch = basic_latch<Family>;
  using wait_group = basic_wait_group<Family>;
  using once_flag = basic_once_flag<Family>;
  template <class T>
  using channel = basic_channel<T, detail::fifo_order, Family>;
  template <class T>
  using lifo_channel = basic_channel<T, detail::lifo_order, Family>;
  template <class T>
  using priority_channel = basic_channel<T, detail::least_first_order<std::less<T>>, Family>;
};
using across = primitives_of<detail::any_loop>;
using local = primitives_of<detail::one_loop>;
using families = testing::Types<across, local>;

/// A case on a lone runner with a virtual clock.
template <class Family>
class on_runner : public testing::Test {
 protected:
  virtual_clock time;
  runner r{on(time)};
};

/// Lets the other tasks of the loop take `turns` turns.
inline task<> let_run(int turns = 1) {
  for (; turns > 0; --turns) co_await yield();
}

}  // namespace harrier::test
