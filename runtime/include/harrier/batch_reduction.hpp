// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch.hpp>
#include <harrier/batch_control.hpp>
#include <harrier/detail/batch_core.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {

/// How results become one value: `op(value, result)` adds a result, `combine(value, value)` joins what
/// two workers have; `op` does both if it can. Each worker begins with a copy of `identity`, which
/// must not change what it is joined with. The order is not given: op must be associative and commute.
template <class R, class Op, class Combine = Op>
class reduction {
 public:
  using value_type = R;
  reduction(R first, Op add, Combine join)
      : identity(std::move(first)), op(std::move(add)), combine(std::move(join)) {}
  reduction(R first, Op add) : identity(std::move(first)), op(add), combine(std::move(add)) {}

  R identity;
  Op op;
  Combine combine;
};
template <class R, class Op>
reduction(R, Op) -> reduction<R, Op, Op>;
template <class R, class Op, class Combine>
reduction(R, Op, Combine) -> reduction<R, Op, Combine>;

namespace detail {

template <class R>
class reduced_batch : public batch_core {
 public:
  using batch_core::batch_core;
  /// Once, after the end.
  virtual R total_value() = 0;
};

/// Each slot has a value of its own; no result is stored.
template <class T, class Reduction>
class reduce_of : public reduced_batch<typename Reduction::value_type> {
 public:
  using value = typename Reduction::value_type;

  reduce_of(std::uint64_t total, dispatch_options options, Reduction how)
      : reduced_batch<value>(total, std::move(options)), how_(std::move(how)) {}

  bool keep(batch_lane& lane, task_promise<T>& promise, std::uint64_t) noexcept {
    if (promise.result != result_kind::value) [[unlikely]] {
      return false;
    }
    add(lane, promise);
    return true;
  }

  value total_value() final {
    value sum = std::move(how_.identity);
    for (std::size_t s = 0; s < this->slots(); ++s) {
      if (std::optional<value>& part = parts_[s].part) {
        sum = how_.combine(std::move(sum), std::move(*part));
      }
    }
    return sum;
  }

 protected:
  void prepare(std::size_t slots) override { parts_ = std::make_unique<slot_part[]>(slots); }
  void store_result(batch_lane& lane, promise_base& promise, std::uint64_t) final {
    add(lane, static_cast<task_promise<T>&>(promise));
  }
  void release_inputs() noexcept override {}
  void release_results() noexcept final {}

 private:
  struct alignas(64) slot_part {
    std::optional<value> part;  // the slot's thread's, until the end
  };

  /// What the operation throws ends the batch: the slot's value is lost.
  void add(batch_lane& lane, task_promise<T>& promise) noexcept {
    std::optional<value>& part = parts_[lane.slot].part;
    try {
      if (!part) {
        part.emplace(how_.identity);
      }
      *part = how_.op(std::move(*part), promise.take());
    } catch (...) {  // told to whoever waits
      this->cancel_because(std::current_exception());
    }
  }

  Reduction how_;
  std::unique_ptr<slot_part[]> parts_;
};

template <class R>
class reduction_awaiter final : public batch_awaiter_base {
 public:
  explicit reduction_awaiter(reduced_batch<R>& batch) noexcept : batch_awaiter_base(batch) {}
  R await_resume() {
    deliver_cancel();
    batch_->rethrow_first_error();
    return static_cast<reduced_batch<R>*>(batch_)->total_value();
  }
};

}  // namespace detail

/// A batch whose results become one value on the workers, without being stored.
///
/// Lifetime  dropping the handle lets the batch go on by itself, and the value is lost.
/// Errors    get() and co_await throw the first failure that on_error() does not tolerate, or what
///           the operation threw, once every item has ended. Failed items add nothing.
template <class R>
class [[nodiscard]] batch_reduction : public batch_control {
 public:
  using value_type = R;
  using harrier_native = void;

  batch_reduction() noexcept = default;
  explicit batch_reduction(detail::reduced_batch<R>& core) noexcept : batch_control(core) {}

  /// wait(), then the value: once.
  R get() {
    wait_and_rethrow("batch_reduction::get");
    return typed().total_value();
  }
  detail::reduction_awaiter<R> operator co_await() const {
    return detail::reduction_awaiter<R>(typed());
  }

 private:
  detail::reduced_batch<R>& typed() const {
    return static_cast<detail::reduced_batch<R>&>(checked());
  }
};

}  // namespace harrier
