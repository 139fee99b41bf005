// SPDX-License-Identifier: Apache-2.0
#include "hash_checkpoint.hpp"

#include <harrier/item_seed.hpp>

#include "hash_record.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <utility>

namespace harrier::cli {

namespace {

std::uint64_t mixed_into(std::uint64_t sum, std::string_view text) {
  for (const char c : text) sum = item_seed(sum, static_cast<unsigned char>(c));
  return item_seed(sum, text.size());
}

// The records name files as the arguments do: with other arguments, or elsewhere, they are others.
batch_identity identity_of(const std::vector<std::string>& arguments) {
  auto sum = mixed_into(0, std::filesystem::current_path().string());
  for (const auto& argument : arguments) sum = mixed_into(sum, argument);
  return batch_identity("harrier hash", batch_identity::unbounded).with_fingerprint(sum);
}

[[noreturn]] void fail(const std::string& path) {
  throw std::system_error(errno, std::generic_category(), path);
}

std::size_t read_at(int fd, std::uint64_t at, char* to, std::size_t bytes) {
  std::size_t filled = 0;
  while (filled < bytes) {
    const auto got = ::pread(fd, to + filled, bytes - filled, static_cast<off_t>(at + filled));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    filled += static_cast<std::size_t>(got);
  }
  return filled;
}

}  // namespace

hash_checkpoint::hash_checkpoint(const std::string& path, const std::vector<std::string>& arguments,
                                 checkpoint_options options)
    : kept_(path, identity_of(arguments), options.with_output(path + ".log")),
      log_path_(path + ".log"),
      log_(::open(log_path_.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (!log_.is_open()) fail(log_path_);
  read_log();
}

void hash_checkpoint::read_log() {
  constexpr std::size_t part_bytes = std::size_t{1} << 20;
  std::string left;  // what of the parts so far is no whole record yet
  std::uint64_t offset = 0;
  for (std::uint64_t at = 0;;) {
    const std::size_t before = left.size();
    left.resize(before + part_bytes);
    const std::size_t got = read_at(log_.get(), at, left.data() + before, part_bytes);
    left.resize(before + got);
    at += got;
    std::size_t first = 0;
    for (std::size_t end; (end = left.find('\0', first)) != std::string::npos; first = end + 1) {
      const auto path = path_of_record(std::string_view(left).substr(first, end - first));
      known_.push_back({mixed_into(0, path), offset + first});
    }
    offset += first;
    left.erase(0, first);
    if (got == 0) break;
  }
  records_ = known_.size();
  std::sort(known_.begin(), known_.end(), [](const entry& a, const entry& b) {
    return std::pair(a.path_hash, a.offset) < std::pair(b.path_hash, b.offset);
  });
}

std::optional<file_digest> hash_checkpoint::find(const found_file& file) {
  if (known_.empty()) return std::nullopt;
  const auto hash = mixed_into(0, file.path);
  auto at = std::upper_bound(
      known_.begin(), known_.end(), hash,
      [](std::uint64_t value, const entry& other) { return value < other.path_hash; });
  if (at == known_.begin() || std::prev(at)->path_hash != hash) return std::nullopt;
  struct stat status{};
  const int no_follow = file.links == symlinks::refuse ? AT_SYMLINK_NOFOLLOW : 0;
  // A file that can no longer be read has to fail as it would without a checkpoint.
  if (::fstatat(AT_FDCWD, file.path.c_str(), &status, no_follow) != 0 ||
      ::faccessat(AT_FDCWD, file.path.c_str(), R_OK, AT_EACCESS) != 0) {
    return std::nullopt;
  }
  // The last record of a path is the newest.
  while (at != known_.begin() && (--at)->path_hash == hash) {
    if (auto known = read_record(at->offset, file.path)) {
      if (known->identity == file_identity(status)) return known;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<file_digest> hash_checkpoint::read_record(std::uint64_t offset,
                                                        const std::string& path) const {
  std::string bytes(longest_record(path), '\0');
  bytes.resize(read_at(log_.get(), offset, bytes.data(), bytes.size()));
  bytes.resize(std::min(bytes.size(), bytes.find('\0')));
  if (path_of_record(bytes) != path) return std::nullopt;
  return parse_record(bytes);
}

void hash_checkpoint::add(const file_digest& digest) {
  if (!digest.is_lasting) return;
  const auto text = record_of(digest);
  const std::lock_guard lock(mutex_);
  kept_.finish(records_++, text);
}

std::uint64_t hash_checkpoint::size() const {
  const std::lock_guard lock(mutex_);
  return records_;
}

}  // namespace harrier::cli
