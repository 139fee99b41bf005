// SPDX-License-Identifier: Apache-2.0
// What is in the file of a checkpoint, byte for byte; nothing here touches a file.
//
// All numbers are little endian.
//   8  "harrckpt"
//   4  version: 1
//   8  bytes of the whole file: so that a file cut short is told from one that is damaged
//   8  total, 8 seed, 8 fingerprint of the batch
//   8  bytes of the output, 4 their CRC-32C
//   4  bytes of the name, then the name
//   8  ranges, then for each: the gap before it and its length, 7 bits in a byte, low ones first
//   4  CRC-32C of all that is before
#pragma once

#include <harrier/checkpoint_error.hpp>
#include <harrier/index_set.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace harrier::detail {

class checkpoint_contents {
 public:
  checkpoint_contents() {}

  std::string name;
  std::uint64_t total = 0;
  std::uint64_t seed = 0;
  std::uint64_t fingerprint = 0;
  std::uint64_t output_bytes = 0;
  std::uint32_t output_crc = 0;
  index_set finished;

  friend bool operator==(const checkpoint_contents&, const checkpoint_contents&) = default;
};

HARRIER_EXPORT std::string encode_checkpoint(const checkpoint_contents& contents);
/// Throws checkpoint_error, which names `path`.
HARRIER_EXPORT checkpoint_contents decode_checkpoint(std::string_view bytes,
                                                     const std::string& path);

}  // namespace harrier::detail
