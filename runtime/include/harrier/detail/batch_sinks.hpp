// SPDX-License-Identifier: Apache-2.0
// Where results go that are neither collected by index nor streamed.
#pragma once

#include <harrier/batch.hpp>
#include <harrier/batch_stream.hpp>
#include <harrier/detail/batch_core.hpp>

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <vector>

namespace harrier::detail {

/// Nowhere.
template <class T>
class discard_of : public batch_of<void> {
 public:
  using batch_of<void>::batch_of;
  bool keep(batch_lane&, task_promise<T>& promise, std::uint64_t) noexcept {
    return promise.result == result_kind::value;  // destroyed with the frame
  }

 protected:
  void release_inputs() noexcept override {}
};

/// To a list of each slot's, and at the end, when their number is known, to their places by index.
template <class T>
class gather_of : public batch_of<T> {
 public:
  using batch_of<T>::batch_of;

  bool keep(batch_lane& lane, task_promise<T>& promise, std::uint64_t index) noexcept {
    if constexpr (std::is_nothrow_move_constructible_v<T>) {
      auto& list = lists_[lane.slot].items;
      if (promise.result == result_kind::value && list.size() != list.capacity()) [[likely]] {
        list.emplace_back(index, promise.take());
        return true;
      }
    }
    return false;
  }

 protected:
  void prepare(std::size_t slots) override { lists_ = std::make_unique<slot_list[]>(slots); }

  void store_result(batch_lane& lane, promise_base& promise, std::uint64_t index) final {
    lists_[lane.slot].items.emplace_back(index, static_cast<task_promise<T>&>(promise).take());
  }

  void release_inputs() noexcept override {
    try {
      this->results_.allocate(this->total());
      for (std::size_t s = 0; s < this->slots(); ++s) {
        for (stream_item<T>& each : lists_[s].items) {
          std::construct_at(this->results_.data() + each.index, std::move(each.value));
        }
      }
    } catch (...) {  // told to whoever waits for the results
      this->results_.release();
      this->lose_results(std::current_exception());
    }
    lists_.reset();
  }

 private:
  struct alignas(64) slot_list {
    std::vector<stream_item<T>> items;  // the slot's thread's, until the end
  };
  std::unique_ptr<slot_list[]> lists_;
};

/// There is nothing to gather of nothing.
template <class T>
using gather_or_discard = std::conditional_t<std::is_void_v<T>, discard_of<void>, gather_of<T>>;

template <class>
inline constexpr bool is_given_tasks = false;
template <class T>
inline constexpr bool is_given_tasks<std::vector<task<T>>> = true;
template <class Source>
concept given_tasks = is_given_tasks<std::remove_cvref_t<Source>>;

}  // namespace harrier::detail
