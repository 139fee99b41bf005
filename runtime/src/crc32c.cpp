// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/crc32c.hpp>

#include <array>
#include <cstddef>

namespace harrier::detail {

namespace {

constexpr std::uint32_t reversed_polynomial = 0x82f63b78;

using table = std::array<std::uint32_t, 256>;

// tables[k][b]: what byte b does to the sum when k bytes follow it.
constexpr std::array<table, 8> make_tables() {
  std::array<table, 8> made{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t sum = byte;
    for (int bit = 0; bit < 8; ++bit) {
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? reversed_polynomial : 0);
    }
    made[0][byte] = sum;
  }
  for (std::size_t k = 1; k < made.size(); ++k) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint32_t before = made[k - 1][byte];
      made[k][byte] = (before >> 8) ^ made[0][before & 0xff];
    }
  }
  return made;
}

constexpr std::array<table, 8> tables = make_tables();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) noexcept {
  return static_cast<unsigned char>(bytes[at]);
}

std::uint32_t eight_bytes(std::uint32_t sum, std::string_view bytes) noexcept {
  std::uint32_t result = 0;
  for (std::size_t at = 0; at < 8; ++at) {
    const std::uint32_t mixed = at < 4 ? (sum >> (8 * at)) & 0xff : 0;
    result ^= tables[7 - at][byte_at(bytes, at) ^ mixed];
  }
  return result;
}

}  // namespace

std::uint32_t crc32c(std::uint32_t sum, std::string_view bytes) noexcept {
  sum = ~sum;
  for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
    sum = eight_bytes(sum, bytes);
  }
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    sum = (sum >> 8) ^ tables[0][(sum ^ byte_at(bytes, at)) & 0xff];
  }
  return ~sum;
}

}  // namespace harrier::detail
