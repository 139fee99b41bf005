// SPDX-License-Identifier: Apache-2.0
// From an input, a factory, options and a place for the results to a batch.
#pragma once

#include <harrier/batch.hpp>
#include <harrier/detail/batch_input.hpp>
#include <harrier/detail/batch_pulled.hpp>
#include <harrier/detail/guarded_item.hpp>
#include <harrier/detail/item_start.hpp>

#include <concepts>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace harrier::detail {

/// What is to be done for each item of an input.
template <class Input, class Factory>
class item_work {
 public:
  using result = item_result_t<Factory, typename Input::element>;

  item_work(Input from, Factory make, dispatch_options how, error_policy default_errors)
      : input(std::move(from)), factory(std::move(make)), options(std::move(how)) {
    if (!options.has_error_policy) {
      options.errors = default_errors;
    }
    if constexpr (Input::is_pulled && !std::copy_constructible<typename Input::element>) {
      if (options.retry) {
        throw std::invalid_argument(
            "with_retry: the elements of the input cannot be copied for another attempt");
      }
    }
  }

  Input input;
  Factory factory;
  dispatch_options options;
};

template <class Base, class Input, class Factory, class... ForBase>
Base* make_guarded_batch(item_work<Input, Factory> work, ForBase&&... for_base) {
  using result = typename item_work<Input, Factory>::result;
  class shared_work {
   public:
    explicit shared_work(item_work<Input, Factory> of) : work(std::move(of)) {}
    item_work<Input, Factory> work;
    batch_core* batch = nullptr;
  };
  dispatch_options options = std::move(work.options);
  const std::uint64_t total = work.input.size();
  auto shared = std::make_shared<shared_work>(std::move(work));
  erased_factory<result> make = [shared](std::uint64_t index) {
    auto start = [&of = shared->work, index](const batch_item& item) {
      return call_factory(of.factory, of.input.at(index), item);
    };
    const batch_item item(shared->batch->options().seed, index);
    return guarded_item<result>(*shared->batch, item, start);
  };
  auto* made = new batch_made_by<result, erased_factory<result>, Base>(
      total, std::move(options), std::move(make), std::forward<ForBase>(for_base)...);
  shared->batch = made;
  return made;
}

/// `Base` says where the results go.
template <class Base, class Input, class Factory, class... ForBase>
Base* make_batch(item_work<Input, Factory> work, ForBase&&... for_base) {
  using result = typename item_work<Input, Factory>::result;
  if constexpr (Input::is_pulled) {
    return new batch_pulled<result, Input, Factory, Base>(
        std::move(work.options), std::move(work.input), std::move(work.factory),
        std::forward<ForBase>(for_base)...);
  } else {
    if (work.options.needs_guard()) {
      return make_guarded_batch<Base>(std::move(work), std::forward<ForBase>(for_base)...);
    }
    const std::uint64_t seed = work.options.seed;
    const std::uint64_t total = work.input.size();
    auto make = [input = std::move(work.input), factory = std::move(work.factory),
                 seed](std::uint64_t index) mutable {
      return call_factory(factory, input.at(index), batch_item(seed, index));
    };
    return new batch_made_by<result, decltype(make), Base>(
        total, std::move(work.options), std::move(make), std::forward<ForBase>(for_base)...);
  }
}

}  // namespace harrier::detail
