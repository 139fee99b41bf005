// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "file_identity.hpp"

#include <atomic>
#include <cstdint>
#include <string>

namespace harrier::cli {

enum class symlinks { follow, refuse };

/// What hashing one file came to: a digest, or the errno that stopped it.
class file_digest {
 public:
  file_digest() {}

  std::string path;
  std::string sha256_hex;
  std::uint64_t bytes = 0;
  int error = 0;
  file_identity identity;  // when it was opened
  bool is_lasting = false;  // a regular file that was the same when it was closed
};

/// Opens, reads, hashes and closes the file; blocks the thread meanwhile. What was read is added to
/// `bytes_read` as it goes.
file_digest hash_file(std::string path, symlinks links, std::atomic<std::uint64_t>& bytes_read);

}  // namespace harrier::cli
