// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "file_digest.hpp"
#include "output.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace harrier::cli {

/// `path` as coreutils writes names with a backslash, newline or carriage return in them.
std::string escaped_path(std::string_view path);

/// The line that `sha256sum` prints for this file, newline included.
std::string checksum_line(const file_digest& digest);

/// The figures that end the JSON object of `harrier hash`.
class hash_totals {
 public:
  hash_totals() {}

  std::uint64_t files = 0;
  std::uint64_t errors = 0;
  std::uint64_t bytes = 0;
  double seconds = 0;
  std::size_t workers = 0;
  std::uint64_t peak_rss_bytes = 0;
  std::optional<std::uint64_t> reused;  // with a checkpoint: files taken from it
};

/// Writes digests in the order they are given, as `sha256sum` does.
class checksum_listing {
 public:
  explicit checksum_listing(output& out) : out_(out) {}
  virtual ~checksum_listing() = default;
  checksum_listing(const checksum_listing&) = delete;
  checksum_listing& operator=(const checksum_listing&) = delete;

  virtual void add(const file_digest& digest);
  virtual void add_error(const std::string& path, const std::string& message);
  virtual void end(const hash_totals& totals);

 protected:
  output& out() noexcept { return out_; }

 private:
  output& out_;
};

/// Writes one JSON object, file by file, so that it never is in memory as a whole.
class json_listing final : public checksum_listing {
 public:
  explicit json_listing(output& out) : checksum_listing(out) {}

  void add(const file_digest& digest) override;
  void add_error(const std::string& path, const std::string& message) override;
  void end(const hash_totals& totals) override;

 private:
  bool is_first_ = true;
  std::vector<std::pair<std::string, std::string>> errors_;
};

}  // namespace harrier::cli
