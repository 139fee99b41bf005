// SPDX-License-Identifier: Apache-2.0
// The shipped headers, unchanged, under Relacy. Included before them: from here on `std` means, inside
// harrier::detail, a namespace that has everything of the real one but its atomics, and what a load
// sees is Relacy's choice.
//
// Every order that is given in a header is a site, found while the model runs as shipped. One site at
// a time can be weakened by one step; so can a step of the protocol be left out, by its name.
//
// Relacy does not explore load buffering: what it finds is wrong, what it passes may still be.
#pragma once

#include <relacy/relacy.hpp>
// Relacy's macros would reach into the headers.
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free
#undef assert
#undef sched_yield
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst

#include <algorithm>
#include <array>
#include <cstddef>
#include <source_location>
#include <string_view>

// Relacy replaces operator new and delete, but not the sized delete that containers use. A model is
// one source file, so that a definition may stand here.
void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { operator delete[](memory); }

namespace harrier::model {

using rl::memory_order;

/// What an operation does decides to which orders its own can be weakened.
enum class access { load, store, exchange, failed_exchange };

/// One order that a shipped header gives to one operation.
struct site {
  const char* file;
  unsigned line;
  unsigned column;
  access kind;
  memory_order order;
  const char* function;

  bool operator==(const site& other) const noexcept {
    return line == other.line && column == other.column && kind == other.kind && file == other.file;
  }
};

/// What differs from the shipped code in this run; and, without a difference, which sites it passed.
struct mutation {
  const site* weakened = nullptr;
  memory_order weakened_to{};
  std::string_view left_out;  // a step of a protocol
  bool has_membarrier = true;  // or the asymmetric barrier is made of exchanges

  std::array<site, 64> sites;  // not a vector: Relacy would take its memory for a leak of the model
  std::size_t site_count = 0;
};
inline mutation mutant;

/// Whether the step of this name is in the code: false in the mutant that leaves it out.
inline bool has_step(std::string_view name) noexcept { return mutant.left_out != name; }

inline rl::debug_info at(const std::source_location& where) {
  return rl::debug_info(where.function_name(), where.file_name(), where.line());
}

inline memory_order order_at(memory_order order, access kind, const std::source_location& where) {
  if (order == rl::mo_relaxed) {
    return order;
  }
  const site here{where.file_name(),    where.line(), where.column(), kind, order,
                  where.function_name()};
  if (mutant.weakened != nullptr) {
    return here == *mutant.weakened ? mutant.weakened_to : order;
  }
  for (std::size_t each = 0; each < mutant.site_count; ++each) {
    if (mutant.sites[each] == here) {
      return order;
    }
  }
  RL_VERIFY(mutant.site_count < mutant.sites.size());
  mutant.sites[mutant.site_count++] = here;
  return order;
}

/// What threads sleep on in this schedule.
struct sleepers {
  void add(const void* word) noexcept { *std::find(on.begin(), on.end(), nullptr) = word; }
  void remove(const void* word) noexcept { *std::find(on.begin(), on.end(), word) = nullptr; }
  bool any(const void* word) const noexcept {
    return std::find(on.begin(), on.end(), word) != on.end();
  }

  std::array<const void*, 8> on{};
};
inline sleepers asleep;

/// The strongest order that Relacy takes for a failed exchange beside that of a successful one.
inline memory_order at_most(memory_order success, memory_order failure) noexcept {
  if (success == rl::mo_relaxed || success == rl::mo_release) {
    return rl::mo_relaxed;
  }
  return success != rl::mo_seq_cst && failure == rl::mo_seq_cst ? rl::mo_acquire : failure;
}

/// std::atomic, as far as the shipped headers use it.
template <class T>
class atomic {
 public:
  using where = std::source_location;

  atomic() { value_.store(T{}, rl::mo_relaxed, $); }
  atomic(T value) {
    value_.store(value, rl::mo_relaxed, $);
  }  // NOLINT: implicit, like std::atomic's
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(memory_order order, where from = where::current()) const {
    return value_.load(order_at(order, access::load, from), at(from));
  }
  void store(T value, memory_order order, where from = where::current()) {
    value_.store(value, order_at(order, access::store, from), at(from));
  }
  T exchange(T value, memory_order order, where from = where::current()) {
    return value_.exchange(value, order_at(order, access::exchange, from), at(from));
  }
  T fetch_add(T value, memory_order order, where from = where::current()) {
    return value_.fetch_add(value, order_at(order, access::exchange, from), at(from));
  }
  T fetch_sub(T value, memory_order order, where from = where::current()) {
    return value_.fetch_sub(value, order_at(order, access::exchange, from), at(from));
  }
  T fetch_or(T value, memory_order order, where from = where::current()) {
    return value_.fetch_or(value, order_at(order, access::exchange, from), at(from));
  }
  T fetch_and(T value, memory_order order, where from = where::current()) {
    return value_.fetch_and(value, order_at(order, access::exchange, from), at(from));
  }
  bool compare_exchange_weak(T& expected, T desired, memory_order success, memory_order failure,
                             where from = where::current()) {
    success = order_at(success, access::exchange, from);
    failure = at_most(success, order_at(failure, access::failed_exchange, from));
    return value_.compare_exchange_weak(expected, desired, success, at(from), failure, at(from));
  }
  bool compare_exchange_strong(T& expected, T desired, memory_order success, memory_order failure,
                               where from = where::current()) {
    success = order_at(success, access::exchange, from);
    failure = at_most(success, order_at(failure, access::failed_exchange, from));
    return value_.compare_exchange_strong(expected, desired, success, at(from), failure, at(from));
  }

  /// The kernel's side of a futex: looks and falls asleep in one step, and never wakes by chance,
  /// which would hide a lost wake.
  void wait_while(T expected) const {
    const auto info = at(where::current());
    if (value_.fetch_add(0, rl::mo_relaxed, info) == expected) {
      asleep.add(this);
      value_.wait(rl::ctx(), false, false, info);
      asleep.remove(this);
    }
  }
  /// An address is all that the kernel needs: the word may be gone if nobody sleeps there.
  void wake(int threads) const {
    rl::ctx().sched();
    if (asleep.any(this)) {
      value_.wake(rl::ctx(), static_cast<rl::thread_id_t>(threads), at(where::current()));
    }
  }

 private:
  mutable rl::atomic<T> value_;
};

/// std::mutex.
class mutex {
 public:
  void lock() { mutex_.lock($); }
  void unlock() { mutex_.unlock($); }

 private:
  rl::mutex mutex_;
};

/// The line that full_barrier() exchanges; it lives as long as the schedule.
inline rl::atomic<unsigned>* barrier_line = nullptr;

/// What every model derives from.
template <class Model, rl::thread_id_t threads>
class suite : public rl::test_suite<Model, threads> {
 public:
  suite() {
    barrier_line = &line_;
    asleep = {};  // a schedule that failed has left some
  }

 private:
  rl::atomic<unsigned> line_{0};
};

}  // namespace harrier::model

namespace harrier::detail::std {

using namespace ::std;

using model::atomic;
using model::memory_order;
using model::mutex;
inline constexpr memory_order memory_order_relaxed = rl::mo_relaxed;
inline constexpr memory_order memory_order_acquire = rl::mo_acquire;
inline constexpr memory_order memory_order_release = rl::mo_release;
inline constexpr memory_order memory_order_acq_rel = rl::mo_acq_rel;
inline constexpr memory_order memory_order_seq_cst = rl::mo_seq_cst;

}  // namespace harrier::detail::std
