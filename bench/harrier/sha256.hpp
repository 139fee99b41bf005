// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/evp.h>

#include <cstddef>
#include <memory>
#include <string>

namespace harrier::cli {

/// SHA-256 of a stream of bytes, by OpenSSL.
///
/// Threads   one thread at a time; different objects are independent.
/// Errors    std::runtime_error when OpenSSL refuses (a build without SHA-256).
class sha256 {
 public:
  sha256();

  void update(const void* data, std::size_t bytes);
  /// The digest in lower case hexadecimal; the object then starts afresh.
  std::string finish();

 private:
  struct free_context {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
  };

  void restart();

  std::unique_ptr<EVP_MD_CTX, free_context> context_;
};

}  // namespace harrier::cli
