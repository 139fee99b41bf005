// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/detail/waiting_line.hpp>
#include <harrier/sync/errors.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>

namespace harrier {

template <class Family>
class HARRIER_EXPORT basic_barrier;

namespace detail {

template <class Family>
class HARRIER_EXPORT barrier_awaiter final : public sync_waiter {
 public:
  explicit barrier_awaiter(basic_barrier<Family>& barrier) noexcept
      : sync_waiter(operations_table), barrier_(barrier) {}

  bool await_ready() const noexcept { return false; }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "barrier::wait");
    return publish();
  }

  std::size_t await_resume();

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;

  basic_barrier<Family>& barrier_;
  std::size_t position_ = 0;
};

template <class Family>
class [[nodiscard]] barrier_operation {
 public:
  using harrier_native = void;
  explicit barrier_operation(basic_barrier<Family>& barrier) noexcept : barrier_(&barrier) {}
  barrier_awaiter<Family> operator co_await() const noexcept {
    return barrier_awaiter<Family>(*barrier_);
  }

 private:
  basic_barrier<Family>* barrier_;
};

}  // namespace detail

/// Lets so many tasks wait for each other, round after round: `barrier`, and `local_barrier` for one
/// loop. Each round ends when its last party arrives; the next one may begin at once.
///
/// Threads   barrier: any. local_barrier: the loop that used it first; on another one foreign_loop.
/// Lifetime  destroyed while somebody waits, it ends the program.
/// Memory    what each party did before it came happens before any wait of that round returns.
template <class Family>
class HARRIER_EXPORT basic_barrier {
 public:
  /// Throws invalid_count unless there is at least one party.
  explicit basic_barrier(std::ptrdiff_t parties);
  basic_barrier(const basic_barrier&) = delete;
  basic_barrier& operator=(const basic_barrier&) = delete;
  ~basic_barrier() {
    if (line_.has_waiters()) [[unlikely]] {
      detail::fatal("a barrier was destroyed while coroutines waited for it");
    }
  }

  /// Waits for the others of the round, and gives the place in it: 0 for the first who came.
  ///
  /// Errors  broken_barrier, after a reset() or abort() meanwhile or an abort() before.
  /// Cancel  throws `cancelled`; the round goes on with one party less and is not broken.
  detail::barrier_operation<Family> wait() {
    binding_.check("local_barrier");
    return detail::barrier_operation<Family>(*this);
  }

  /// Begins anew: who waits gets broken_barrier, who comes later does not.
  void reset() { send_away(0); }
  /// Breaks the barrier until it is reset: who waits, and who comes later, gets broken_barrier.
  void abort() { send_away(broken); }

  std::size_t parties() const noexcept { return static_cast<std::size_t>(parties_); }
  /// How many wait.
  std::size_t waiting() const noexcept { return static_cast<std::size_t>(line_.value() & ~broken); }
  bool is_broken() const noexcept { return (line_.value() & broken) != 0; }

 private:
  friend class detail::barrier_awaiter<Family>;

  // The value: how many wait, or that it is broken.
  static constexpr std::uint64_t broken = std::uint64_t{1} << 60;

  void send_away(std::uint64_t next);

  detail::waiting_line<typename Family::word> line_;
  const std::uint64_t parties_;
  [[no_unique_address]] typename Family::binding binding_;
};

using barrier = basic_barrier<detail::any_loop>;
using local_barrier = basic_barrier<detail::one_loop>;

// Compiled in the library.
extern template class detail::barrier_awaiter<detail::any_loop>;
extern template class detail::barrier_awaiter<detail::one_loop>;
extern template class basic_barrier<detail::any_loop>;
extern template class basic_barrier<detail::one_loop>;

}  // namespace harrier
