// SPDX-License-Identifier: Apache-2.0
// Waits until the value of a primitive allows to go on, where the primitive says what that is. What it
// needs of a Primitive: line_, pass(value) -> next_value, and take_back(), which returns a grant.
#pragma once

#include <harrier/detail/sync_family.hpp>
#include <harrier/detail/sync_waiter.hpp>
#include <harrier/detail/waiting_line.hpp>

#include <coroutine>

namespace harrier::detail {

template <class Primitive>
class [[nodiscard]] value_awaiter final : public sync_waiter {
 public:
  explicit value_awaiter(Primitive& of) noexcept : sync_waiter(operations_table), of_(of) {}

  bool await_ready() const noexcept { return of_.pass_now(); }

  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, Primitive::wait_name);
    return publish();
  }

  void await_resume() {
    settle([this] {
      of_.take_back();
      return true;
    });
  }

 private:
  bool publish() noexcept {
    return suspended(
        of_.line_.take_or_wait(*this, Primitive::pass, [this] { return begin_wait(); }));
  }
  static withdrawal withdraw(ready_node& node) noexcept {
    auto& self = static_cast<value_awaiter&>(node);
    return self.of_.line_.withdraw(self) ? withdrawal::taken : withdrawal::too_late;
  }
  static void tell(const ready_node& node, wait_facts& facts) {
    facts.object = &static_cast<const value_awaiter&>(node).of_;
  }
  static void give_back(ready_node& node) noexcept {
    static_cast<value_awaiter&>(node).of_.take_back();
  }
  static constexpr ready_operations operations_table =
      suspension::wait_table(Primitive::wait_name, withdraw, tell, give_back);

  Primitive& of_;
};

template <class Primitive>
class [[nodiscard]] value_operation {
 public:
  using harrier_native = void;
  explicit value_operation(Primitive& of) noexcept : of_(&of) {}
  value_awaiter<Primitive> operator co_await() const noexcept {
    return value_awaiter<Primitive>(*of_);
  }

 private:
  Primitive* of_;
};

}  // namespace harrier::detail
