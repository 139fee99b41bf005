// SPDX-License-Identifier: Apache-2.0
// Memory that runs out at one chosen allocation. This program's operator new, and the library's own
// allocator by its seam, count what all threads ask for while a fault is armed, and refuse the k-th.
//
// clang's sanitizers bring an operator new that cannot be replaced: under them only the library's own
// allocator refuses, where frames, records, timers and queues come from.
#pragma once

#include <harrier/detail/execution.hpp>
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <exception>
#include <iostream>
#include <new>
#include <string>

#if defined(__clang__) && HARRIER_TEST_SANITIZED
#define HARRIER_TEST_REPLACES_NEW 0
#else
#define HARRIER_TEST_REPLACES_NEW 1
#endif

namespace harrier::test {

/// Refuses the k-th allocation that any thread asks for during(), counted from 1; or, if it lasts,
/// that one and all that follow, for a while (work that was taken ends when there is memory again) or
/// for as long as during() lasts.
class allocation_fault {
 public:
  enum class lasts : std::uint8_t { once, a_while, for_good };
  static constexpr std::chrono::milliseconds a_while_is{3};

  explicit allocation_fault(long k, lasts how = lasts::once) noexcept : k_(k), how_(how) {}

  /// Calls f with the fault armed. False: it threw for want of memory. All else it throws is passed on.
  template <class F>
  bool during(F f) {
    const armed_scope armed(*this);
    try {
      f();
      return true;
    } catch (...) {  // looked at, and passed on
      if (!is_want_of_memory(std::current_exception())) throw;
      return false;
    }
  }
  bool was_injected() const noexcept { return injected_; }

  static bool is_want_of_memory(const std::exception_ptr& error);

 private:
  class armed_scope {
   public:
    explicit armed_scope(allocation_fault& fault) noexcept;
    ~armed_scope();
    armed_scope(const armed_scope&) = delete;
    armed_scope& operator=(const armed_scope&) = delete;

   private:
    allocation_fault& fault_;
  };

  long k_;
  lasts how_;
  bool injected_ = false;
};

/// Calls attempt(fault) for k = 1, 2, ... until one passes with nothing refused. After each, as many
/// frames live as before.
template <class Attempt>
void fail_each_allocation(Attempt attempt,
                          allocation_fault::lasts how = allocation_fault::lasts::once) {
  constexpr long most = 5'000;  // more is a fault of the test's
  for (long k = 1; k <= most; ++k) {
    SCOPED_TRACE("allocation " + std::to_string(k));
    const std::size_t frames = live_frames();
    detail::trim_unowned();  // what this thread has cached would hide frames
    detail::frame_cache::trim_depots();
    allocation_fault fault(k, how);
    attempt(fault);
    EXPECT_EQ(live_frames(), frames);
    if (testing::Test::HasFailure()) return;
    if (!fault.was_injected()) {
      std::cout << "faults injected: " << k - 1 << std::endl;
      if (HARRIER_TEST_REPLACES_NEW != 0) {
        EXPECT_GT(k, 1) << "nothing was allocated: the test tests nothing";
      }
      return;
    }
  }
  ADD_FAILURE() << "still allocating";
}

}  // namespace harrier::test
