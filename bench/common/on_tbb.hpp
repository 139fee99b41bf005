// SPDX-License-Identifier: Apache-2.0
// The contender harrier_on_tbb: our tasks with oneTBB as the scheduler, so that "write our own
// deque or use theirs" is a measured choice.
//
// How  every started coroutine is one oneTBB task whose body resumes it. A parent that awaits a
//      child which has not ended suspends, its oneTBB task returns to oneTBB's scheduler, and the
//      child resumes the parent as its last act. No thread ever blocks in a join, so the stack
//      stays flat. These awaiters call themselves native, so that the task is resumed where oneTBB
//      wants it; any other foreign awaiter would send it back to a loop of ours.
// Fair frames come from the same per-thread cache as in harrier's own workers. What each fork pays
//      beyond that is oneTBB's task (allocate, spawn, reference counts of the group), one driving
//      coroutine, and two atomic exchanges.
#pragma once

#include <harrier/detail/execution.hpp>
#include <harrier/detail/transfer.hpp>
#include <harrier/runner.hpp>

#include "tbb_arena.hpp"

#include <tbb/task_group.h>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace bench::on_tbb {

/// A coroutine to be resumed.
class suspended {
 public:
  explicit suspended(std::coroutine_handle<> at) noexcept : handle(at) {}
  std::coroutine_handle<> handle;
};

/// The group whose tasks carry the coroutines; set while a scheduler runs something.
inline tbb::task_group* running_group = nullptr;

/// The calling oneTBB thread's frame cache and hop budget, the same as a worker of ours has.
inline harrier::detail::execution& this_thread() {
  static thread_local harrier::detail::execution execution;
  return execution;
}

/// Makes a suspended coroutine with `make` and resumes it, on the calling oneTBB thread. oneTBB may
/// run a task inside another one's wait: the scope nests.
template <class F>
void start_here(F make) {
  harrier::detail::execution& execution = this_thread();
  const harrier::detail::running_scope scope(execution);
  harrier::detail::resume(execution, make().handle);
}

/// Hands `next` to oneTBB: some thread of the arena resumes it.
inline void schedule(std::coroutine_handle<> next) {
  running_group->run([next] { start_here([next] { return suspended(next); }); });
}

/// Suspends the awaiting coroutine and gives it back to oneTBB as a new task.
class reschedule {
 public:
  using harrier_native = void;
  reschedule() noexcept {}
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const { schedule(waiter); }
  void await_resume() const noexcept {}
};

/// What a finished coroutine leaves for its parent.
template <class T>
class outcome {
 public:
  void set(T value) { value_.emplace(std::move(value)); }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
};
template <>
class outcome<void> {
 public:
  void take() {}
};

/// A task that runs as an oneTBB task from its construction on; await it exactly once. Lives in the
/// parent's frame and does not move.
template <class T>
class forked {
 public:
  using harrier_native = void;
  explicit forked(harrier::task<T> child) : child_(std::move(child)) {
    schedule(drive(*this).handle);
  }
  forked(const forked&) = delete;
  forked& operator=(const forked&) = delete;

  class join {
   public:
    using harrier_native = void;
    explicit join(forked& child) noexcept : child_(child) {}
    bool await_ready() const noexcept {
      return child_.state_.load(std::memory_order_acquire) == &child_;
    }
    bool await_suspend(std::coroutine_handle<> parent) const noexcept {
      void* running = nullptr;
      // Fails only if the child ended meanwhile; acquire makes its result visible.
      return child_.state_.compare_exchange_strong(
          running, parent.address(), std::memory_order_acq_rel, std::memory_order_acquire);
    }
    T await_resume() const { return child_.take(); }

   private:
    forked& child_;
  };
  // An awaiter of its own: g++ 12 copies an awaiter that is an lvalue.
  join operator co_await() noexcept { return join(*this); }

  /// The result; only after the child has ended.
  T take() {
    if (error_) std::rethrow_exception(std::move(error_));
    return outcome_.take();
  }

 private:
  // The coroutine that awaits the child on behalf of a forked. Its last act is to publish the end
  // and to continue with the parent if that waits already.
  class driver {
   public:
    class finish {
     public:
      finish() noexcept {}
      bool await_ready() const noexcept { return false; }
      template <class Promise>
      std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) const noexcept {
        forked& self = *ended.promise().self;
        ended.destroy();
        void* parent = self.state_.exchange(&self, std::memory_order_acq_rel);
        if (parent == nullptr) return std::noop_coroutine();
        return harrier::detail::transfer(std::coroutine_handle<>::from_address(parent));
      }
      void await_resume() const noexcept {}
    };
    class promise_type {
     public:
      explicit promise_type(forked& owner) noexcept : self(&owner) {}
      driver get_return_object() noexcept {
        return driver(std::coroutine_handle<promise_type>::from_promise(*this));
      }
      std::suspend_always initial_suspend() const noexcept { return {}; }
      finish final_suspend() const noexcept { return finish(); }
      void unhandled_exception() noexcept { self->error_ = std::current_exception(); }
      void return_void() const noexcept {}
      static void* operator new(std::size_t bytes) {
        return harrier::detail::allocate_frame(bytes);
      }
      static void operator delete(void* frame, std::size_t bytes) noexcept {
        harrier::detail::free_frame(frame, bytes);
      }
      forked* self;
    };
    explicit driver(std::coroutine_handle<> at) noexcept : handle(at) {}
    std::coroutine_handle<> handle;
  };

  static driver drive(forked& self) {
    if constexpr (std::is_void_v<T>) {
      co_await self.child_;
    } else {
      T value = co_await self.child_;
      self.outcome_.set(std::move(value));
    }
  }

  harrier::task<T> child_;
  outcome<T> outcome_;
  std::exception_ptr error_;
  std::atomic<void*> state_ = nullptr;  // null: runs. This object: ended. Else the waiting parent.
};

/// A coroutine that owns itself: carries a task whose result has a place to go and nobody waits
/// for.
class detached {
 public:
  class promise_type {
   public:
    promise_type() noexcept {}
    detached get_return_object() noexcept {
      return detached(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    std::suspend_never final_suspend() const noexcept { return {}; }
    void unhandled_exception() const noexcept { std::terminate(); }
    void return_void() const noexcept {}
    static void* operator new(std::size_t bytes) { return harrier::detail::allocate_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
      harrier::detail::free_frame(frame, bytes);
    }
  };
  std::coroutine_handle<> handle;

 private:
  explicit detached(std::coroutine_handle<> at) noexcept : handle(at) {}
};

inline detached carry(harrier::task<> work) { co_await work; }

template <class T>
detached carry(harrier::task<T> work, T* result) {
  *result = co_await work;
}

/// An arena of so many threads and a task_group in it.
class scheduler {
 public:
  explicit scheduler(std::size_t workers) : arena_(workers) {}

  /// Runs `root` and everything that it forks; blocks.
  template <class T>
  T run(harrier::task<T> root) {
    return within([&] {
      forked<T> started(std::move(root));
      running_group->wait();
      return started.take();
    });
  }

  /// Runs `work` on the calling thread inside the arena, with a group to schedule into.
  template <class F>
  auto within(F&& work) {
    return arena_.execute([&] {
      tbb::task_group group;
      running_group = &group;
      return work();
    });
  }
  tbb_arena& arena() { return arena_; }

 private:
  tbb_arena arena_;
};

}  // namespace bench::on_tbb
