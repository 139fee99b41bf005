// SPDX-License-Identifier: Apache-2.0
// What every coroutine of ours carries: 40 bytes for results of up to 8.
#pragma once

#include <harrier/detail/execution.hpp>
#include <harrier/detail/foreign_awaiter.hpp>
#include <harrier/detail/join_word.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/detail/task_record.hpp>
#include <harrier/detail/transfer.hpp>
#include <harrier/errors.hpp>

#include <concepts>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

namespace harrier::detail {

/// How a coroutine was started, and so who learns of its end. A new promise says root, so that most of
/// it is zeroes.
enum class role : std::uint8_t {
  root,  ///< run or spawned: its record finishes
  awaited,  ///< a child: its continuation is resumed
  guest,  ///< awaited by another library's coroutine: likewise, but it has a record of its own
  item,  ///< an item of a batch: likewise, with a record only once it suspends
  stolen,  ///< a forked child that left its parent: whoever of the two ends last goes on
};

enum class result_kind : std::uint8_t { none, value, error, taken_error };

struct promise_base;

/// What is awaited only to run code in the coroutine's place, and never suspends it: nobody will ask
/// where it waits.
template <class A>
concept never_waits = requires { typename A::harrier_never_waits; };

/// What wants to know who awaits it before it is asked whether it is ready, and gives its awaiter then.
template <class A>
concept knows_its_waiter = requires(A& a, promise_base& waiter) { a.awaited_by(waiter); };

/// Stands for the record of a root that runs and has none yet.
struct record_source {
  /// Makes it, at the first real suspension.
  task_record& (*make)(record_source& self, promise_base& root);
  /// Queues `node`, in which `of`, a coroutine of the root's, gives way: without a record if it can, else
  /// as yield_with_record() does.
  bool (*give_way)(record_source& self, suspension& node, promise_base& root, promise_base& of);
};

struct promise_base {
  promise_base() noexcept : continuation(nullptr), site() {}
  ~promise_base() {
    if (result >= result_kind::error) [[unlikely]] {
      std::destroy_at(&error);
    }
  }
  promise_base(const promise_base&) = delete;
  promise_base& operator=(const promise_base&) = delete;

  std::coroutine_handle<promise_base> handle() noexcept {
    return std::coroutine_handle<promise_base>::from_promise(*this);
  }
  /// The promise of a coroutine of ours.
  static promise_base& of(std::coroutine_handle<> coroutine) noexcept {
    return std::coroutine_handle<promise_base>::from_address(coroutine.address()).promise();
  }

  static void* operator new(std::size_t bytes) { return allocate_frame(bytes); }
  static void operator delete(void* frame, std::size_t bytes) noexcept { free_frame(frame, bytes); }

  std::suspend_always initial_suspend() const noexcept { return {}; }

  void unhandled_exception() noexcept { set_error(std::current_exception()); }

  void set_error(std::exception_ptr thrown) noexcept {
    std::construct_at(&error, std::move(thrown));
    result = result_kind::error;
  }

  /// Rethrows what the coroutine threw, if it did. Once.
  void rethrow_error() {
    if (result == result_kind::error) [[unlikely]] {
      take_and_rethrow();
    }
  }

  /// Remembers where the coroutine suspends. Awaitables of ours pass through; others get a proxy.
  /// Ours all have an operator co_await: g++ 12 would copy an awaiter that is awaited by reference.
  template <native_awaitable A>
  A&& await_transform(A&& awaitable,
                      std::source_location where = std::source_location::current()) noexcept {
    if constexpr (!never_waits<std::remove_cvref_t<A>>) {
      note_site(where);
    }
    return static_cast<A&&>(awaitable);
  }
  template <native_awaitable A>
    requires knows_its_waiter<A>
  auto await_transform(A&& awaitable,
                       std::source_location where = std::source_location::current()) noexcept {
    note_site(where);
    return awaitable.awaited_by(*this);
  }
  template <class A>
    requires(!native_awaitable<A>)
  foreign_awaiter<A> await_transform(A&& awaitable,
                                     std::source_location where = std::source_location::current()) {
    note_site(where);
    return foreign_awaiter<A>(static_cast<A&&>(awaitable));
  }

  void note_site(const std::source_location& where) noexcept {
    if constexpr (doctor_is_on) {
      site = where;
    }
  }

  /// Of a forked child that has ended: whether with a value, for which its parent did not have to wait.
  /// Two loads, of what was stored as such: one of both bytes, the result and the role, would wait until
  /// the store of one of them has left the core (docs/design.md#groups).
  bool has_plain_value() const noexcept {
    return result == result_kind::value && !join.is_waited_for();
  }

  /// The root of this chain of awaits. Found when somebody first asks, which most children end
  /// without.
  promise_base& chain_root() noexcept {
    return started_as != role::awaited ? *this
           : chain != 0                ? *reinterpret_cast<promise_base*>(chain)
                                       : find_root();
  }

  /// This coroutine, which has not started, is a child of one of ours.
  template <class Parent>
  void is_awaited_by(std::coroutine_handle<Parent> parent) noexcept {
    static_assert(std::derived_from<Parent, promise_base>);
    continuation = parent;
    started_as = role::awaited;
  }

  /// The record of this chain's root, made now if there was none. May throw std::bad_alloc.
  task_record& record() {
    promise_base& root = chain_root();
    if (root.chain != 0 && (root.chain & source_tag) == 0) [[likely]] {
      return *reinterpret_cast<task_record*>(root.chain);
    }
    return make_record(root);
  }

  void set_record(task_record& record) noexcept {
    chain = reinterpret_cast<std::uintptr_t>(&record);
  }
  void set_source(record_source& source) noexcept {
    chain = reinterpret_cast<std::uintptr_t>(&source) | source_tag;
  }
  /// Of a root that runs: what makes its record, if it has none.
  record_source* source() noexcept {
    return (chain & source_tag) != 0 ? reinterpret_cast<record_source*>(chain & ~source_tag)
                                     : nullptr;
  }
  task_record* record_if_made() noexcept {
    return (chain & source_tag) == 0 ? reinterpret_cast<task_record*>(chain) : nullptr;
  }
  /// Of an item that gives way without a record, until it runs again: its index.
  void leave_index(std::uint64_t index) noexcept {
    chain = static_cast<std::uintptr_t>(index) << index_shift | index_tag;
  }
  std::uint64_t index_left() const noexcept { return chain >> index_shift; }

  HARRIER_EXPORT HARRIER_NOINLINE static task_record& make_record(promise_base& root);
  HARRIER_EXPORT HARRIER_NOINLINE promise_base& find_root() noexcept;
  [[noreturn]] HARRIER_EXPORT HARRIER_NOINLINE void take_and_rethrow();

  static constexpr std::uintptr_t source_tag = 1;
  static constexpr std::uintptr_t index_tag = 3;  ///< like a source, there is no record
  static constexpr unsigned index_shift = 2;

  union {
    std::coroutine_handle<> continuation;  ///< awaited, guest, stolen: who goes on after the end
    void* owner;  ///< item: its batch; stolen: the node of the parent that waits for it
  };
  /// awaited: the promise of the root, or 0 until somebody asks; otherwise the record, or a tagged
  /// record_source, or a tagged index, or 0.
  std::uintptr_t chain = 0;
  union {
    std::source_location site;  ///< of the latest co_await, until the coroutine has thrown
    std::exception_ptr error;  ///< what it threw, while `result` says so
  };
  result_kind result = result_kind::none;
  role started_as = role::root;
  join_word join;  ///< forked children only
};

/// The end of a coroutine that nobody awaits directly. Returns what to resume next. Takes the handle,
/// which is at hand: where the promise's address goes nowhere, no register is kept for it.
HARRIER_EXPORT HARRIER_NOINLINE std::coroutine_handle<> finish(
    std::coroutine_handle<> of_ended) noexcept;

/// Cancels a forked child that left its parent. False: it has ended.
HARRIER_EXPORT bool cancel_stolen(promise_base& child) noexcept;

struct final_awaiter {
  final_awaiter() noexcept {}
  bool await_ready() const noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
    promise_base& promise = ended.promise();
    if (promise.started_as == role::awaited) [[likely]] {
      return transfer(promise.continuation);
    }
    if (promise.started_as == role::item && (promise.chain & promise_base::source_tag) != 0) {
      return std::noop_coroutine();  // never suspended: the batch collects it where it started it
    }
    return finish(ended);
  }
  void await_resume() const noexcept {}
};

/// Room for one T. An over-aligned one is aligned inside the room: the promise itself must not be,
/// or its base would no longer lie where coroutine_handle<promise_base> looks for it.
template <class T, bool over_aligned = (alignof(T) > 16)>
class value_room {
 public:
  value_room() noexcept {}
  ~value_room() {}
  T* at() noexcept { return std::addressof(value_); }

 private:
  union {
    T value_;
  };
};

template <class T>
class value_room<T, true> {
 public:
  value_room() noexcept {}
  T* at() noexcept {
    const auto start = reinterpret_cast<std::uintptr_t>(bytes_);
    return reinterpret_cast<T*>((start + alignof(T) - 1) & ~(alignof(T) - 1));
  }

 private:
  alignas(8) std::byte bytes_[sizeof(T) + alignof(T) - 8];
};

/// Where the value lives between the end of the coroutine and its taker.
template <class T>
class result_promise : public promise_base {
 public:
  result_promise() noexcept {}
  ~result_promise() {
    if (result == result_kind::value) {
      std::destroy_at(value_.at());
    }
  }

  final_awaiter final_suspend() const noexcept { return final_awaiter(); }

  template <class U>
    requires std::constructible_from<T, U&&>
  void return_value(U&& value) noexcept(std::is_nothrow_constructible_v<T, U&&>) {
    std::construct_at(value_.at(), std::forward<U>(value));
    result = result_kind::value;
  }

  /// The value, or a rethrow of the error. Once.
  T take() {
    rethrow_error();
    return take_value();
  }
  /// The same for one that has not thrown.
  T take_value() { return std::move(*value_.at()); }

 private:
  value_room<T> value_;
};

template <class T>
class result_promise<T&> : public promise_base {
 public:
  result_promise() noexcept {}
  final_awaiter final_suspend() const noexcept { return final_awaiter(); }
  void return_value(T& value) noexcept {
    value_ = std::addressof(value);
    result = result_kind::value;
  }
  T& take() {
    rethrow_error();
    return *value_;
  }
  T& take_value() noexcept { return *value_; }

 private:
  T* value_ = nullptr;
};

template <>
class result_promise<void> : public promise_base {
 public:
  result_promise() noexcept {}
  final_awaiter final_suspend() const noexcept { return final_awaiter(); }
  void return_void() noexcept { result = result_kind::value; }
  void take() { rethrow_error(); }
  void take_value() const noexcept {}
};

template <class Promise>
void suspension::bind(std::coroutine_handle<Promise> handle, const char* what) {
  static_assert(std::derived_from<Promise, promise_base>,
                "harrier's awaitables are awaited from harrier's coroutines");
  execution* at = here();
  if (at == nullptr || at->loop == nullptr) [[unlikely]] {
    throw no_running_loop(what);
  }
  waiter = handle;
  record = &handle.promise().record();
}

inline void suspension::deliver_cancel() {
  if (record != nullptr && record->cancel_is_due() && record->take_cancel()) [[unlikely]] {
    record->throw_cancelled();
  }
}

}  // namespace harrier::detail
