// SPDX-License-Identifier: Apache-2.0
// Contiguous room for the results of a batch, uninitialised.
#pragma once

#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <new>

namespace harrier::detail {

/// Room of 4 MB and more comes in whole huge pages, at a multiple of one. Throws std::bad_alloc.
HARRIER_EXPORT void* allocate_results(std::size_t bytes, std::size_t alignment);
HARRIER_EXPORT void free_results(void* memory, std::size_t bytes, std::size_t alignment) noexcept;

template <class T>
class result_storage {
 public:
  result_storage() noexcept = default;
  result_storage(const result_storage&) = delete;
  result_storage& operator=(const result_storage&) = delete;
  ~result_storage() { release(); }

  void release() noexcept {
    if (data_ != nullptr) {
      free_results(data_, count_ * sizeof(T), alignof(T));
      data_ = nullptr;
    }
  }

  void allocate(std::uint64_t count) {
    if (count > std::numeric_limits<std::size_t>::max() / 2 / sizeof(T)) {
      throw std::bad_alloc();
    }
    count_ = static_cast<std::size_t>(count);
    data_ = static_cast<T*>(allocate_results(count_ * sizeof(T), alignof(T)));
  }

  T* data() noexcept { return data_; }

 private:
  T* data_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace harrier::detail
