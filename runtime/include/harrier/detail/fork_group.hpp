// SPDX-License-Identifier: Apache-2.0
// Children that are forked together and joined one after another, of which the first failure ends the
// others: when_all() on a worker.
//
// Threads     a stolen child fails on its thief's thread; the rest is the parent's.
// Protocol    the parent awaits run(), which forks the children and joins them, the latest first, below a
//             frame that is made by hand: resumed when a child has ended, it has the child's result
//             kept, destroys the child, and goes on to the next. What a child that nobody stole needs
//             is a push, a pop and an await; its error is looked at where it lies, and never thrown.
//             Whoever sets `ends_from_` to 0 first keeps its error. A stolen child then cancels the
//             parent's task for the group, so that a child which runs inside that task is cancelled, and
//             a join of another stolen one. The group drops or cancels the children that it has not
//             joined, joins all, and takes its cancel back.
//             A cancel from outside meets the child that is being joined. Whatever that makes of it, the
//             count of the task's requests shows it at the next join or at the end, and the group ends
//             as one that has failed, by the cancel.
// Rejected    a coroutine that joins: resumed after each child it saves all registers and looks where
//             it was, 33 instructions. (docs/design.md#groups)
#pragma once

#include <harrier/detail/child_group.hpp>
#include <harrier/detail/private_cancel.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/fork.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <exception>
#include <span>
#include <utility>

namespace harrier::detail {

/// Whose errors end the group: each child's, or only that of a cancel which comes from outside.
enum class group_ends_on : std::uint8_t { any_error, outer_cancel };

class HARRIER_EXPORT fork_group final : public child_group {
 public:
  using handles = std::span<std::coroutine_handle<>>;

  /// `keep(group)` is called for each child that has ended, with current(): not if it was dropped, and
  /// it must not throw.
  template <class Keep>
  fork_group(group_ends_on when, Keep& keep) noexcept
      : child_group(&fork_group::child_failed),
        ends_on_(when),
        keep_(&keep),
        joining_(&fork_group::go_on<Keep>, *this) {}
  fork_group(const fork_group&) = delete;
  fork_group& operator=(const fork_group&) = delete;
  /// Left by an exception, or destroyed where it waits: the children go, the latest first, and then the
  /// group's cancel.
  ~fork_group() {
    if (!has_left_) [[unlikely]] {
      abandon();
    }
  }

  class [[nodiscard]] run_operation {
   public:
    using harrier_native = void;
    run_operation(fork_group& group, handles children) noexcept
        : group_(group), children_(children) {}
    class awaiter {
     public:
      awaiter(fork_group& group, handles children) noexcept : group_(group), children_(children) {}
      bool await_ready() const noexcept { return false; }
      template <class Parent>
      HARRIER_PUBLISHES std::coroutine_handle<> await_suspend(
          std::coroutine_handle<Parent> parent) {
        return group_.begin(parent, children_);
      }
      void await_resume() const noexcept {}

     private:
      fork_group& group_;
      handles children_;
    };
    awaiter operator co_await() const noexcept { return awaiter(group_, children_); }

   private:
    fork_group& group_;
    handles children_;
  };

  /// Takes over the frames, of which there is one at the least, offers all but the last to thieves, and
  /// joins all from the last on. The handles must stay where they are. Throws std::bad_alloc.
  run_operation run(handles children) noexcept { return run_operation(*this, children); }

  /// The child that has ended.
  promise_base& current() noexcept { return *join_.child_; }
  std::size_t current_index() const noexcept { return left_ - 1; }
  /// For one without has_plain_value(): whether it has one all the same. Else what it ended with is the
  /// group's error, unless the group goes on after that.
  HARRIER_NOINLINE bool ended_otherwise() noexcept;

  /// A value could not be kept.
  void fail(std::exception_ptr error) noexcept { keep_error(std::move(error)); }
  /// After all joins: throws the first error, if there is one.
  void finish() {
    if (!must_end()) [[likely]] {
      has_left_ = true;
      return;
    }
    finish_failed();
  }

 private:
  /// Awaits the children in the parent's place. Laid out as all our compilers lay out a coroutine's frame.
  struct join_frame {
    join_frame(void (*when_resumed)(void* frame), fork_group& owner) noexcept
        : resume(when_resumed), group(&owner) {}
    std::coroutine_handle<promise_base> handle() noexcept {
      return std::coroutine_handle<promise_base>::from_address(this);
    }
    void (*resume)(void* frame);
    void (*destroy)(void* frame) = nullptr;  // goes with the group, and is never asked
    promise_base promise;
    fork_group* group;
  };

  /// A child has ended. Not noexcept, though it throws nothing: the call at its end would be no tail call.
  template <class Keep>
  static void go_on(void* frame) {
    fork_group& group = *static_cast<join_frame*>(frame)->group;
    (*static_cast<Keep*>(group.keep_))(group);
    group.current().handle().destroy();
    group.begin_next().resume();  // a tail call where such are made; else transfer() counts them
  }

  HARRIER_NOINLINE std::coroutine_handle<> begin(std::coroutine_handle<> parent, handles children);
  HARRIER_NOINLINE std::coroutine_handle<> begin_next() noexcept;
  HARRIER_NOINLINE std::coroutine_handle<> begin_slowly() noexcept;
  HARRIER_NOINLINE void abandon() noexcept;
  HARRIER_NOINLINE void finish_failed();
  /// Whether one has failed, or somebody has asked the task to stop since the group began.
  bool must_end() const noexcept {
    // relaxed: nothing but the count itself; a request that comes later is seen at the next look
    // acquire: pairs with the exchange in keep_error()  [fork_group:ends]
    return cancel_.task().state.load(std::memory_order_relaxed) >=
           ends_from_.load(std::memory_order_acquire);
  }
  bool keep_error(std::exception_ptr error) noexcept;
  static void child_failed(child_group& self, promise_base& child) noexcept;

  private_cancel cancel_;
  child_join join_{nullptr};
  std::coroutine_handle<>* children_ = nullptr;
  std::size_t left_ = 0;  ///< so many of them have not been joined
  const group_ends_on ends_on_;
  bool has_left_ = false;
  /// private_cancel::asked_from(), or 0 once one has failed: so that one look finds both.
  std::atomic<std::uint32_t> ends_from_{0};
  // written by whoever ended the group, read after all joins; null: cancelled
  std::exception_ptr error_;
  void* const keep_;
  join_frame joining_;
};

}  // namespace harrier::detail
