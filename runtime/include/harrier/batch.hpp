// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch_control.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/item_start.hpp>
#include <harrier/detail/result_storage.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/join_handle.hpp>

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier {
namespace detail {

/// A batch with the type of its results; the handle's view of it.
template <class T>
class batch_of : public batch_core {
 public:
  using batch_core::batch_core;
  ~batch_of() override { destroy_results(); }

  T* results() noexcept { return results_.data(); }

  /// The short way for a value that moves without throwing. False: settle() has to look.
  bool keep(batch_lane&, task_promise<T>& promise, std::uint64_t index) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      if (promise.result == result_kind::value) [[likely]] {
        std::construct_at(results_.data() + index, promise.take());
        return true;
      }
    }
    return false;
  }

 protected:
  void store_result(batch_lane&, promise_base& promise, std::uint64_t index) override {
    std::construct_at(results_.data() + index, static_cast<task_promise<T>&>(promise).take());
  }

  void release_results() noexcept override {
    destroy_results();
    results_.release();
  }

  result_storage<T> results_;

 private:
  void destroy_results() noexcept {
    if constexpr (!std::is_trivially_destructible_v<T>) {
      if (results_.data() == nullptr || !is_done()) {
        return;
      }
      for (std::uint64_t index = 0; index < total(); ++index) {
        if (has_result(index)) {
          std::destroy_at(results_.data() + index);
        }
      }
    }
  }
};

template <>
class batch_of<void> : public batch_core {
 public:
  using batch_core::batch_core;

  bool keep(batch_lane&, task_promise<void>& promise, std::uint64_t) noexcept {
    return promise.result == result_kind::value;
  }

 protected:
  void store_result(batch_lane&, promise_base&, std::uint64_t) override {}
  void release_results() noexcept final {}
};

/// A batch with its factory: `Make(index)` gives the task of an item, `Base` takes its result.
template <class T, class Make, class Base = batch_of<T>>
class batch_made_by final : public Base {
 public:
  template <class... ForBase>
  batch_made_by(std::uint64_t total, dispatch_options options, Make make, ForBase&&... for_base)
      : Base(total, std::move(options), std::forward<ForBase>(for_base)...),
        make_(std::move(make)) {
    if constexpr (!std::is_void_v<T>) {
      if (this->recorder() != nullptr) {
        throw std::invalid_argument(
            "dispatch: the items of a batch with a checkpoint return nothing, because the results "
            "of an earlier run are gone; use checkpoint::finish() to write them");
      }
    }
    if constexpr (std::is_same_v<Base, batch_of<T>> && !std::is_void_v<T>) {
      this->results_.allocate(total);
    }
  }

 private:
  std::uint64_t start_items(worker_slot& slot, batch_lane& lane, std::uint64_t first,
                            std::uint64_t last) override {
    // Two loops, so that most batches do not ask for each item what only some have.
    return this->is_plain() ? start_each<true>(slot, lane, first, last)
                            : start_each<false>(slot, lane, first, last);
  }

  template <bool is_plain>
  std::uint64_t start_each(worker_slot& slot, batch_lane& lane, std::uint64_t position,
                           std::uint64_t last) {
    constexpr std::uint64_t run = 32;  // how many items start between looks at other work
    execution& at = *here();
    item_source source(*this);
    context_word* const outer = std::exchange(at.context, &source.context);
    auto ended = [&] {
      if constexpr (is_plain) {
        return ended_items();
      } else {
        return recorded_items(*this, slot.index());
      }
    }();
    std::uint64_t known_until = position;  // up to there an index is its position and this:
    std::uint64_t shift = 0;
    bool has_room = true;
    do {
      const std::uint64_t end = std::min(last, (position / run + 1) * run);
      while (position < end && !this->is_halted()) {
        if constexpr (!is_plain) {
          if (position == known_until) {
            const index_range next = this->indices_at(position, last);
            known_until = position + next.size();
            shift = next.first - position;
            ended.go_on_with(next.first);
          }
        }
        source.index = position + shift;
        ++position;
        // Most items take no room: it is looked at only after those that may have.
        if (start_item<T>(at, *this, lane, source, ended, [&] { return (*make_)(source.index); })) {
          known_until = position;  // it may not have completed: the next one does not follow it
          has_room = this->has_room(lane);
          if (!has_room) {
            break;
          }
        }
      }
    } while (has_room && position < last && !this->is_halted() && !this->should_pause(slot));
    at.context = outer;
    ended.count(*this, slot, lane);
    return position;
  }

  void release_inputs() noexcept override { make_.reset(); }

  std::optional<Make> make_;
};

class HARRIER_EXPORT batch_awaiter_base : public suspension, private batch_watcher {
 public:
  explicit batch_awaiter_base(batch_core& batch) noexcept;
  bool await_ready() const noexcept { return batch_->is_done(); }
  template <class Promise>
  HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
    bind(handle, "co_await of a batch");
    return publish();
  }

 protected:
  batch_core* batch_;

 private:
  bool publish() noexcept;
  static withdrawal withdraw(ready_node& node) noexcept;
  static void tell(const ready_node& node, wait_facts& facts);
  static const ready_operations operations_table;
};

template <class T>
class batch_awaiter final : public batch_awaiter_base {
 public:
  explicit batch_awaiter(batch_of<T>& batch) noexcept : batch_awaiter_base(batch) {}
  auto await_resume() {
    deliver_cancel();
    batch_->rethrow_first_error();
    if constexpr (!std::is_void_v<T>) {
      return std::span<T>(static_cast<batch_of<T>*>(batch_)->results(),
                          static_cast<std::size_t>(batch_->total()));
    }
  }
};

}  // namespace detail

/// A dispatched batch: wait for it, await it, watch it, cancel it, read its results.
///
/// Threads   one thread at a time; what batch_control says of its own from any.
/// Lifetime  dropping the handle lets the batch go on by itself. The results live as long as the
///           handle, the factory until the last item has ended.
/// Errors    get() and co_await rethrow the first failure by time of completion, after all items
///           have ended; errors() has all of them by index. Failures that on_error() tolerates are
///           not thrown: has_result() tells which items have one.
/// Memory    what happened before dispatch() happens before each item, and the end of each item
///           before the wait returns.
template <class T>
class [[nodiscard]] batch : public batch_control {
 public:
  using value_type = T;
  using harrier_native = void;

  batch() noexcept = default;
  explicit batch(detail::batch_of<T>& core) noexcept : batch_control(core) {}

  /// wait(), then the results in the order of the input, or the first error.
  auto get() {
    wait_and_rethrow("batch::get");
    if constexpr (!std::is_void_v<T>) {
      return results();
    }
  }

  /// The results, in the order of the input. Only those with has_result() may be read. Throws
  /// std::logic_error while the batch runs.
  std::span<T> results() const
    requires(!std::is_void_v<T>)
  {
    if (!done()) {
      throw std::logic_error("batch::results before the batch is done");
    }
    return std::span<T>(typed().results(), static_cast<std::size_t>(typed().total()));
  }
  bool has_result(std::uint64_t index) const { return done() && typed().has_result(index); }

  /// Lets the batch go on by itself.
  void detach() noexcept { abandon(); }

  /// Waits in a coroutine, also on a worker of the same runtime. A cancel of the waiter cancels the
  /// batch, and is thrown once it has ended.
  detail::batch_awaiter<T> operator co_await() const { return detail::batch_awaiter<T>(typed()); }

 private:
  detail::batch_of<T>& typed() const { return static_cast<detail::batch_of<T>&>(checked()); }
};

}  // namespace harrier
