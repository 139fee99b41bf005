// SPDX-License-Identifier: Apache-2.0
// The bytes that a fuzzer made, taken as numbers off the front. When they are used up there are only
// zeros, which every target reads as "no more".
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace harrier::fuzz {

class input {
 public:
  input(const std::uint8_t* data, std::size_t size) noexcept
      : left_(reinterpret_cast<const char*>(data), size) {}

  bool empty() const noexcept { return left_.empty(); }

  std::uint8_t byte() noexcept {
    if (left_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(left_.front());
    left_.remove_prefix(1);
    return first;
  }
  std::uint64_t number(std::size_t bytes) noexcept {
    std::uint64_t value = 0;
    for (; bytes != 0; --bytes) value = value << 8 | byte();
    return value;
  }
  /// From 0 up to, not including, `limit`, which is at most 256.
  unsigned below(unsigned limit) noexcept { return byte() % limit; }
  bool flag() noexcept { return (byte() & 1) != 0; }
  /// All that is left.
  std::string_view rest() noexcept {
    const std::string_view all = left_;
    left_ = {};
    return all;
  }

 private:
  std::string_view left_;
};

}  // namespace harrier::fuzz
