// SPDX-License-Identifier: Apache-2.0
// A batch whose elements are pulled one after the other, for any input that is not indexed.
//
// It has more positions than any input has elements. A position stands for nothing: a worker that may
// start items takes as many positions as the input gives it elements; when the input has ended, the
// rest is dropped. So windows, steals, cancels and the end are those of every batch.
//
// Threads     the input is used under input_mutex_, by one worker at a time.
// Cost        a lock for each pull: of one element while items are long, up to 32 while they are short.
#pragma once

#include <harrier/detail/batch_input.hpp>
#include <harrier/detail/guarded_item.hpp>
#include <harrier/detail/item_start.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace harrier::detail {

template <class T, class Input, class Factory, class Base>
class batch_pulled final : public Base {
 public:
  using element = typename Input::element;

  template <class... ForBase>
  batch_pulled(dispatch_options options, Input input, Factory factory, ForBase&&... for_base)
      : Base(batch_core::open_ended, std::move(options), std::forward<ForBase>(for_base)...),
        input_(std::in_place, std::move(input)),
        factory_(std::in_place, std::move(factory)) {
    input_->attach(*this);
  }

 private:
  static constexpr std::uint64_t most_in_turn = 256;  // then the worker looks at other work
  static constexpr std::chrono::nanoseconds short_pull{4000};
  static constexpr std::chrono::nanoseconds long_pull{16000};

  void prepare(std::size_t slots) override {
    Base::prepare(slots);
    pull_sizes_ = std::make_unique<pull_size[]>(slots);
  }

  std::uint64_t start_items(worker_slot& slot, batch_lane& lane, std::uint64_t first,
                            std::uint64_t last) override {
    execution& at = *here();
    item_source source(*this);
    context_word* const outer = std::exchange(at.context, &source.context);
    std::uint32_t& size = pull_sizes_[lane.slot].elements;
    const std::uint64_t end = first + std::min(last - first, most_in_turn);
    std::uint64_t position = first;
    pulled_elements<element> pulled;
    bool goes_on = true;
    while (goes_on && position < end && !this->is_halted() && this->has_room(lane)) {
      const auto begin = std::chrono::steady_clock::now();
      const std::uint64_t room = std::min(this->room(lane), end - position);
      goes_on = pull(pulled, std::min<std::uint64_t>(room, size));
      position += pulled.size();
      start_pulled(at, slot, lane, source, pulled);
      const auto took = std::chrono::steady_clock::now() - begin;
      if (took < short_pull) {
        size = std::min<std::uint32_t>(size * 2, pulled_elements<element>::most);
      } else if (took > long_pull) {
        size = std::max(size / 2, 1u);
        goes_on = false;
      }
      goes_on = goes_on && !this->should_pause(slot);
    }
    at.context = outer;
    return position;
  }

  /// False: the input gives no more, for now or for good.
  bool pull(pulled_elements<element>& pulled, std::uint64_t count) {
    pull_status status = pull_status::ended;
    std::exception_ptr error;
    std::uint64_t position = 0;
    {
      const std::scoped_lock guard(input_mutex_);
      if (is_over_ || this->is_halted()) {
        return false;
      }
      try {
        status = input_->pull(pulled, static_cast<std::size_t>(count));
      } catch (...) {  // the input's failure ends the batch
        error = input_->failure();
        position = input_->position();
      }
      this->count_pulled(pulled.size());
      is_over_ = status == pull_status::ended;
      if (status == pull_status::not_yet) {
        this->hold_for_input();
      }
    }
    if (error) {
      this->input_failed(position, std::move(error));
    } else if (status == pull_status::ended) {
      this->input_ended();
    }
    return status == pull_status::more;
  }

  void start_pulled(execution& at, worker_slot& slot, batch_lane& lane, item_source& source,
                    pulled_elements<element>& pulled) {
    ended_items ended;
    std::size_t k = 0;
    for (; k < pulled.size() && !this->is_cancelled(); ++k) {
      source.index = pulled.index(k);
      start_item<T>(at, *this, lane, source, ended,
                    [&] { return make(std::move(pulled.element(k)), source.index); });
    }
    for (; k < pulled.size(); ++k) {
      this->item_cancelled(lane, pulled.index(k));
      ended.add_failed(pulled.index(k));
    }
    ended.count(*this, slot, lane);
    pulled.clear();
  }

  task<T> make(element&& from, std::uint64_t index) {
    const batch_item item(this->options().seed, index);
    if (this->guard() == nullptr) [[likely]] {
      return call_factory(*factory_, std::move(from), item);
    }
    auto start = [&factory = *factory_, from = std::move(from)](const batch_item& of) mutable {
      if constexpr (std::copy_constructible<element>) {
        return call_factory(factory, element(from), of);  // the next attempt needs it again
      } else {
        return call_factory(factory, std::move(from), of);  // there is no next attempt
      }
    };
    return guarded_item<T>(*this, item, std::move(start));
  }

  void start_input() override {
    if constexpr (requires { input_->start(this->runtime()); }) {
      input_->start(this->runtime());
    }
  }

  void input_has_more() noexcept final {
    const std::scoped_lock guard(input_mutex_);  // whoever found nothing has said so by now
    this->input_ready();
  }

  void cancel_input() noexcept override {
    const std::scoped_lock guard(release_mutex_);
    if (input_) {
      input_->cancel();
    }
  }

  void release_inputs() noexcept override {
    Base::release_inputs();
    factory_.reset();
    const std::scoped_lock guard(release_mutex_);
    input_.reset();
  }

  struct alignas(64) pull_size {
    std::uint32_t elements = 1;
  };

  std::mutex input_mutex_;
  std::mutex release_mutex_;  // a cancel, which may come out of the input itself, against the end
  std::optional<Input> input_;  // guarded by input_mutex_; made and released at both ends
  bool is_over_ = false;  // guarded by input_mutex_
  std::optional<Factory> factory_;
  std::unique_ptr<pull_size[]> pull_sizes_;  // each slot's thread its own
};

}  // namespace harrier::detail
