// SPDX-License-Identifier: Apache-2.0
// From what a batch is given as its source to its input.
#pragma once

#include <harrier/async_generator.hpp>
#include <harrier/detail/awaited_input.hpp>
#include <harrier/detail/batch_input.hpp>
#include <harrier/sync/channel.hpp>

#include <concepts>
#include <cstdint>
#include <ranges>
#include <type_traits>
#include <utility>

namespace harrier::detail {

template <class Source>
concept index_count = std::integral<std::remove_cvref_t<Source>>;
template <class Source>
concept indexed_range =
    std::ranges::random_access_range<Source> && std::ranges::sized_range<Source>;

template <class>
inline constexpr bool is_async_generator = false;
template <class T>
inline constexpr bool is_async_generator<async_generator<T>> = true;
template <class>
inline constexpr bool is_channel = false;
template <class T, class Order, class Family>
inline constexpr bool is_channel<basic_channel<T, Order, Family>> = true;

/// The input that a source stands for; a range is moved or referred to as std::views::all does.
template <class Source>
auto make_input(Source&& source) {
  using plain = std::remove_cvref_t<Source>;
  if constexpr (index_count<Source>) {
    return index_input(static_cast<std::uint64_t>(source));
  } else if constexpr (indexed_range<Source>) {
    return indexed_input(std::views::all(std::forward<Source>(source)));
  } else if constexpr (requires { source.harrier_input(); }) {
    return std::forward<Source>(source).harrier_input();
  } else if constexpr (is_async_generator<plain>) {
    static_assert(!std::is_lvalue_reference_v<Source>,
                  "a batch takes an async_generator over: std::move it");
    return awaited_input(generator_source(std::forward<Source>(source)));
  } else if constexpr (is_channel<plain>) {
    static_assert(std::is_lvalue_reference_v<Source>, "a channel outlives the batch that reads it");
    return awaited_input(channel_source(source));
  } else {
    static_assert(std::ranges::input_range<Source>,
                  "the input of a batch is a number of items, an input range, an async_generator, "
                  "a channel or a stream");
    return pulled_input(std::views::all(std::forward<Source>(source)));
  }
}

template <class Source>
using input_of = decltype(make_input(std::declval<Source>()));

}  // namespace harrier::detail
