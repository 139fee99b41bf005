// SPDX-License-Identifier: Apache-2.0
// The context variables of a task: one word in its record, null as long as there are none.
//
// A word refers to an immutable map, which many words share: a spawned task copies its creator's word,
// and a set() gives its own task a changed copy of the map. `execution::context` says whose word is
// current: resume() sets it around each step, so that get() and set() are plain functions.
//
// Threads     a word belongs to the task, and so to the thread that runs it. Maps are counted by
//             atomic counts. Of a `context` object, which tasks may share, the map is guarded.
// Bits        0             no variable is set
//             map           borrowed: whoever lent it outlives this word (a batch, its items)
//             map | counted one reference of the map's count
//             cell | counted | shared: one reference of a `context` object's cell
// Cost        a program without a context_var pays one load for a spawn or a fork. With variables, a
//             spawn adds one to the count of its creator's map; a batch does so once for all items.
// Rejected    one map for each task, copied at spawn: a set() is rare, a spawn is not.
//             A count in each item: all workers would write one line for each item.
#pragma once

#include <harrier/detail/config.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace harrier::detail {

class context_map;
class context_cell;
struct execution;

/// Whether the program has made a context_var yet. It never goes back.
extern HARRIER_EXPORT constinit std::atomic<bool> has_context_vars;

class context_word {
 public:
  static constexpr std::uintptr_t counted = 1;
  static constexpr std::uintptr_t shared = 2;

  constexpr context_word() noexcept = default;
  /// Takes over a reference of what `bits` refers to.
  explicit context_word(std::uintptr_t bits) noexcept : bits_(bits) {}
  context_word(context_word&& other) noexcept : bits_(std::exchange(other.bits_, 0)) {}
  context_word& operator=(context_word&& other) noexcept {
    if (this != &other) {
      drop();
      bits_ = std::exchange(other.bits_, 0);
    }
    return *this;
  }
  ~context_word() { drop(); }

  /// What the current word says now, for a task that is being made.
  static context_word snapshot() noexcept {
    // relaxed: what was set was set on this thread, or came here with what handed it over
    return has_context_vars.load(std::memory_order_relaxed) ? current().copy() : context_word();
  }
  /// The word that get() and set() mean on this thread: the running task's, else the thread's own.
  HARRIER_EXPORT static context_word& current() noexcept;

  /// The same variables, to which neither side's later set() matters to the other.
  HARRIER_EXPORT context_word copy() const noexcept;
  /// The same, uncounted: this word outlives the result.
  context_word lend() const noexcept { return context_word(bits_ & ~counted); }

  bool is_counted() const noexcept { return (bits_ & counted) != 0; }
  bool is_shared() const noexcept { return (bits_ & shared) != 0; }
  std::uintptr_t bits() const noexcept { return bits_; }
  context_map* map() const noexcept {
    return reinterpret_cast<context_map*>(bits_ & ~(counted | shared));
  }
  context_cell* cell() const noexcept {
    return reinterpret_cast<context_cell*>(bits_ & ~(counted | shared));
  }

 private:
  void drop() noexcept {
    if (is_counted()) [[unlikely]] {
      release(std::exchange(bits_, 0));
    }
  }
  HARRIER_EXPORT static void release(std::uintptr_t bits) noexcept;

  std::uintptr_t bits_ = 0;
};

/// The value that a variable has in a word, and a hold on it for as long as it is looked at.
class HARRIER_EXPORT context_value {
 public:
  context_value(const context_word& in, std::uint64_t variable) noexcept;

  /// Null: the variable is not set there.
  const void* get() const noexcept { return value_; }

 private:
  context_word held_;
  const void* value_ = nullptr;
};

/// Sets a variable in the current word, or, with no value, unsets it. Gives what it had before.
/// Throws std::bad_alloc, and then nothing has changed.
HARRIER_EXPORT std::shared_ptr<const void> exchange_context_value(
    std::uint64_t variable, std::shared_ptr<const void> value);
HARRIER_EXPORT std::uint64_t make_context_variable() noexcept;

/// Makes `word` the current one of this thread for a scope, in which no coroutine suspends.
class HARRIER_EXPORT context_scope {
 public:
  explicit context_scope(context_word& word) noexcept;
  ~context_scope();
  context_scope(const context_scope&) = delete;
  context_scope& operator=(const context_scope&) = delete;

 private:
  context_word& word_;
  execution* at_;  // whose `context` is exchanged, and for what; null: the thread's own word
  context_word* outer_ = nullptr;
};

/// What ordinary code has set on this thread.
HARRIER_EXPORT context_word& thread_context() noexcept;

}  // namespace harrier::detail
