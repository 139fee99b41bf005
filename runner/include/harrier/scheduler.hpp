// SPDX-License-Identifier: Apache-2.0
// A small bridge to senders and receivers, in the shape of P2300 and without any library for them:
// members connect, start, set_value, set_error and set_stopped.
//
// Rejected  more of P2300 (environments, stop tokens, completion signatures): it needs the library's own
//           types, which would be a dependency.
#pragma once

#include <harrier/as_foreign.hpp>
#include <harrier/awaitable.hpp>
#include <harrier/cancellation.hpp>
#include <harrier/detail/ready_node.hpp>
#include <harrier/event_loop.hpp>

#include <coroutine>
#include <exception>
#include <type_traits>
#include <utility>

namespace harrier {

/// What completes receivers on a loop. Equal if the loop is the same.
class scheduler {
 public:
  explicit scheduler(event_loop& loop) noexcept : loop_(&loop) {}

  /// Lives from start() until the receiver was completed.
  template <class Receiver>
  class operation final : public detail::ready_node {
   public:
    operation(event_loop& loop, Receiver receiver)
        : ready_node(table), loop_(&loop), receiver_(std::move(receiver)) {}

    void start() noexcept {
      if (!loop_->post_node(*this)) {
        std::move(receiver_).set_stopped();
      }
    }

   private:
    static void run(detail::ready_node& node, detail::execution&) {
      std::move(static_cast<operation&>(node).receiver_).set_value();
    }
    static void discard(detail::ready_node& node) noexcept {
      std::move(static_cast<operation&>(node).receiver_).set_stopped();
    }
    static constexpr detail::ready_operations table{run, nullptr, discard, false};

    event_loop* loop_;
    Receiver receiver_;
  };

  class sender {
   public:
    explicit sender(event_loop& loop) noexcept : loop_(&loop) {}
    template <class Receiver>
    operation<std::decay_t<Receiver>> connect(Receiver&& receiver) const {
      return operation<std::decay_t<Receiver>>(*loop_, std::forward<Receiver>(receiver));
    }

   private:
    event_loop* loop_;
  };

  /// Completes on the loop with no value, in the order of starts; with set_stopped if the loop closes
  /// first. Any thread; no allocation.
  sender schedule() const noexcept { return sender(*loop_); }

  friend bool operator==(const scheduler& one, const scheduler& other) noexcept {
    return one.loop_ == other.loop_;
  }

 private:
  event_loop* loop_;
};

namespace detail {

/// Completes the receiver at the latest when the task that carries it is dropped.
template <class Receiver>
class receiver_hold {
 public:
  explicit receiver_hold(Receiver& receiver) noexcept : receiver_(&receiver) {}
  receiver_hold(receiver_hold&& other) noexcept
      : receiver_(std::exchange(other.receiver_, nullptr)) {}
  receiver_hold& operator=(receiver_hold&&) = delete;
  ~receiver_hold() {
    if (receiver_ != nullptr) {  // the loop refused the task, or closed before it started
      std::move(*receiver_).set_stopped();
    }
  }
  Receiver&& take() noexcept { return std::move(*std::exchange(receiver_, nullptr)); }

 private:
  Receiver* receiver_;
};

template <class A, class Receiver>
task<> run_for_receiver(A awaitable, receiver_hold<Receiver> receiver) {
  using result = await_result_t<A&>;
  std::exception_ptr error;
  try {
    if constexpr (std::is_void_v<result>) {
      co_await awaitable;
      receiver.take().set_value();
    } else {
      result value = co_await awaitable;
      receiver.take().set_value(std::forward<result>(value));
    }
    co_return;
  } catch (const cancelled&) {  // the hold stops the receiver
    co_return;
  } catch (...) {  // handed to the receiver
    error = std::current_exception();
  }
  receiver.take().set_error(std::move(error));
}

}  // namespace detail

/// A sender that runs an awaitable of ours on a loop: set_value with its result, set_error with what it
/// throws, set_stopped if it was cancelled or the loop closes. One task for each start.
template <awaitable A>
class task_sender {
 public:
  template <class Receiver>
  class operation {
   public:
    operation(event_loop& loop, A awaitable, Receiver receiver)
        : loop_(&loop), awaitable_(std::move(awaitable)), receiver_(std::move(receiver)) {}

    void start() noexcept {
      // Once handed over, the receiver may be completed, and this gone.
      event_loop& loop = *loop_;
      try {
        auto work = detail::run_for_receiver<A, Receiver>(
            std::move(awaitable_), detail::receiver_hold<Receiver>(receiver_));
        loop.submit(std::move(work)).detach();
      } catch (...) {  // dropped: with the task the hold went, which has stopped the receiver
      }
    }

   private:
    event_loop* loop_;
    A awaitable_;
    Receiver receiver_;
  };

  task_sender(event_loop& loop, A awaitable) : loop_(&loop), awaitable_(std::move(awaitable)) {}

  template <class Receiver>
  operation<std::decay_t<Receiver>> connect(Receiver&& receiver) && {
    return operation<std::decay_t<Receiver>>(*loop_, std::move(awaitable_),
                                             std::forward<Receiver>(receiver));
  }

 private:
  event_loop* loop_;
  A awaitable_;
};

template <awaitable A>
auto as_sender(event_loop& loop, A&& awaitable) {
  return task_sender<std::remove_cvref_t<A>>(loop, std::forward<A>(awaitable));
}

namespace detail {

/// Awaits a sender, in a coroutine of ours or of anybody: the operation lives in its frame.
template <class T, class Sender>
class [[nodiscard]] sender_awaiter {
 public:
  explicit sender_awaiter(Sender from) : operation_(std::move(from).connect(receiver(*this))) {}
  sender_awaiter(const sender_awaiter&) = delete;
  sender_awaiter& operator=(const sender_awaiter&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    waiter_ = waiter;
    operation_.start();  // it may have completed, and this gone
  }
  T await_resume() { return result_.take(); }

 private:
  class receiver {
   public:
    explicit receiver(sender_awaiter& of) noexcept : of_(&of) {}
    template <class... Values>
    void set_value(Values&&... values) && noexcept {
      try {
        if constexpr (sizeof...(Values) == 0) {
          of_->result_.set(true);
        } else {
          of_->result_.set(std::forward<Values>(values)...);
        }
      } catch (...) {  // thrown where it is awaited
        of_->result_.set_error(std::current_exception());
      }
      of_->waiter_.resume();
    }
    template <class Error>
    void set_error(Error&& error) && noexcept {
      if constexpr (std::is_same_v<std::decay_t<Error>, std::exception_ptr>) {
        of_->result_.set_error(std::forward<Error>(error));
      } else {
        of_->result_.set_error(std::make_exception_ptr(std::forward<Error>(error)));
      }
      of_->waiter_.resume();
    }
    void set_stopped() && noexcept {
      of_->result_.set_error(std::make_exception_ptr(cancelled()));
      of_->waiter_.resume();
    }

   private:
    sender_awaiter* of_;
  };

  foreign_result<T> result_;
  std::coroutine_handle<> waiter_;
  decltype(std::declval<Sender>().connect(std::declval<receiver>())) operation_;
};

}  // namespace detail

/// Connects and starts `from`, which completes with one T or none, and waits for that:
/// `auto op = from_sender<int>(std::move(s)); const int n = co_await op;`
///
/// Errors   what the sender gives to set_error; set_stopped comes out as `cancelled`.
/// Cancel   after the sender has completed: its operation lives in the coroutine's frame.
template <class T, class Sender>
auto from_sender(Sender from) {
  return detail::sender_awaiter<T, Sender>(std::move(from));
}

}  // namespace harrier
