// SPDX-License-Identifier: Apache-2.0
// Where the elements of a batch come from. An indexed input gives any element at any time, and is
// dealt to the workers as a range of indices; a pulled one gives the next, under the batch's lock of
// its input, to the worker that has room.
#pragma once

#include <harrier/batch_item.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <iterator>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <string>
#include <utility>

namespace harrier {

/// What get() throws if the input of a batch has thrown; the exception itself is nested in it. What
/// had started by then has ended.
class HARRIER_EXPORT batch_input_failed : public std::runtime_error, public std::nested_exception {
 public:
  /// Inside the handler of what the input threw.
  batch_input_failed(std::uint64_t position, const char* what);
  /// Of the element that could not be had.
  std::uint64_t position() const noexcept { return position_; }

 private:
  std::uint64_t position_;
};

namespace detail {

/// What the input has thrown, with the position: batch_input_failed. Inside the handler.
HARRIER_EXPORT std::exception_ptr input_failure(std::uint64_t position);

/// Elements on their way from the input to a worker.
template <class Element>
class pulled_elements {
 public:
  static constexpr std::size_t most = 32;
  pulled_elements() noexcept {}

  std::size_t size() const noexcept { return size_; }
  Element& element(std::size_t at) noexcept { return *elements_[at]; }
  std::uint64_t index(std::size_t at) const noexcept { return indices_[at]; }

  template <class E>
  void add(std::uint64_t index, E&& element) {
    elements_[size_].emplace(std::forward<E>(element));
    indices_[size_++] = index;
  }
  void clear() noexcept {
    while (size_ != 0) {
      elements_[--size_].reset();
    }
  }

 private:
  std::array<std::optional<Element>, most> elements_;
  std::array<std::uint64_t, most> indices_;
  std::size_t size_ = 0;
};

enum class pull_status : std::uint8_t { more, ended, not_yet };

/// The indices themselves.
class index_input {
 public:
  using element = std::uint64_t;
  static constexpr bool is_pulled = false;
  explicit index_input(std::uint64_t count) noexcept : count_(count) {}
  std::uint64_t size() const noexcept { return count_; }
  std::uint64_t at(std::uint64_t index) const noexcept { return index; }

 private:
  std::uint64_t count_;
};

/// A range that knows its size and gives any element at any time.
template <class View>
class indexed_input {
 public:
  using element = std::ranges::range_reference_t<View>;
  static constexpr bool is_pulled = false;
  explicit indexed_input(View view) : view_(std::move(view)) {}
  std::uint64_t size() { return static_cast<std::uint64_t>(std::ranges::size(view_)); }
  element at(std::uint64_t index) {
    return std::ranges::begin(view_)[static_cast<std::ranges::range_difference_t<View>>(index)];
  }

 private:
  View view_;
};

/// Any other range, generators and endless ones included.
template <class View>
class pulled_input {
 public:
  using element = std::ranges::range_value_t<View>;
  static constexpr bool is_pulled = true;
  explicit pulled_input(View view) : view_(std::move(view)) {}

  void attach(batch_core&) noexcept {}
  void cancel() noexcept {}
  std::uint64_t position() const noexcept { return position_; }

  /// Adds up to `count` elements. Throws what the range throws; it is not asked again then.
  pull_status pull(pulled_elements<element>& to, std::size_t count) {
    for (; count != 0; --count) {
      if (!at_) {
        at_.emplace(std::ranges::begin(view_));
      } else if (is_used_) {
        is_used_ = false;
        ++*at_;  // as late as possible: this is where a generator runs
      }
      if (*at_ == std::ranges::end(view_)) {
        return pull_status::ended;
      }
      is_used_ = true;
      to.add(position_, **at_);
      ++position_;
    }
    return pull_status::more;
  }

  std::exception_ptr failure() const { return input_failure(position_); }

 private:
  View view_;
  std::optional<std::ranges::iterator_t<View>> at_;
  bool is_used_ = false;
  std::uint64_t position_ = 0;
};

}  // namespace detail
}  // namespace harrier
