// SPDX-License-Identifier: Apache-2.0
// An array that grows and shrinks at its end, for what may have millions of entries. Large ones are pages
// of their own: the system moves them by their page tables, so that growing copies nothing, and neither
// the room ahead nor the smaller arrays of before take memory.
//
// Threads   one.
// Rejected  std::vector: after a million timers the allocator keeps the arrays that were too small, 8
//           bytes for each timer. Chunks: one more load at each step through a heap.
#pragma once

#include <harrier/detail/allocator.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <new>
#include <type_traits>

namespace harrier::detail {

template <class T>
class growing_array {
  static_assert(std::is_trivially_copyable_v<T>, "the system moves it");

 public:
  growing_array() noexcept = default;
  growing_array(const growing_array&) = delete;
  growing_array& operator=(const growing_array&) = delete;
  ~growing_array() { resize_block(data_, capacity_ * sizeof(T), 0); }

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  T& operator[](std::size_t index) noexcept { return data_[index]; }
  const T& front() const noexcept { return *data_; }
  T& back() noexcept { return data_[size_ - 1]; }

  /// Throws std::bad_alloc, and then nothing has changed.
  void push_back(const T& added) {
    const T copy = added;  // it may be one of ours
    if (size_ == capacity_) {
      constexpr std::size_t most = std::numeric_limits<std::size_t>::max() / 2 / sizeof(T);
      if (capacity_ > most / 2 || !change_capacity(std::max<std::size_t>(capacity_ * 2, 8))) {
        throw std::bad_alloc();
      }
    }
    ::new (static_cast<void*>(data_ + size_)) T(copy);
    ++size_;
  }
  void pop_back() noexcept { --size_; }

  /// Gives back what is not needed, if it can.
  void shrink_to_fit() noexcept { change_capacity(size_); }

 private:
  bool change_capacity(std::size_t capacity) noexcept {
    void* moved = resize_block(data_, capacity_ * sizeof(T), capacity * sizeof(T));
    if (moved == nullptr && capacity != 0) {
      return false;
    }
    data_ = static_cast<T*>(moved);
    capacity_ = capacity;
    return true;
  }

  T* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace harrier::detail
