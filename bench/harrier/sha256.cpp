// SPDX-License-Identifier: Apache-2.0
#include "sha256.hpp"

#include "hexadecimal.hpp"

#include <array>
#include <stdexcept>

namespace harrier::cli {

namespace {

void require(bool ok) {
  if (!ok) throw std::runtime_error("OpenSSL cannot compute SHA-256");
}

// Fetched once: EVP_sha256() would look the algorithm up again, under a lock, for every file.
// Never freed: threads may still hash while the program exits.
const EVP_MD* algorithm() {
  static EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched;
}

}  // namespace

sha256::sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr);
  restart();
}

void sha256::update(const void* data, std::size_t bytes) {
  require(EVP_DigestUpdate(context_.get(), data, bytes) == 1);
}

std::string sha256::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int bytes = 0;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), &bytes) == 1);
  restart();
  return hexadecimal({reinterpret_cast<const char*>(digest.data()), bytes});
}

void sha256::restart() {
  require(algorithm() != nullptr);
  require(EVP_DigestInit_ex2(context_.get(), algorithm(), nullptr) == 1);
}

}  // namespace harrier::cli
