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

// A log is left alone up to this size, whatever is in it.
constexpr std::uint64_t small_log_bytes = std::uint64_t{64} << 10;

// In so many, a half is told from 60 % nearly always.
constexpr std::size_t sampled_records = 256;

// What fits into a path, and so into a record, that the kernel can open.
constexpr std::size_t most_path_bytes = 4096;

/// Whether its file is there and is what it was, as far as one can tell. The record of a name that became
/// a link to such a file stays, and nobody asks for it.
bool is_current(const std::string& record) {
  const auto digest = parse_record(record);
  struct stat status{};
  if (::stat(digest.path.c_str(), &status) == 0) return digest.identity == file_identity(status);
  return errno != ENOENT && errno != ENOTDIR;  // it may be readable again tomorrow
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
      log_path_(path + ".log") {
  read_log();
  if (kept_.output_bytes() > small_log_bytes && is_mostly_dead() && compact(options)) read_log();
}

void hash_checkpoint::read_log() {
  log_ = harrier::detail::descriptor(::open(log_path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!log_.is_open()) fail(log_path_);
  known_.clear();
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
  // What is not known would be lost when the log is compacted.
  if (offset != kept_.output_bytes()) throw std::runtime_error(log_path_ + ": could not be read");
  records_ = known_.size();
  std::sort(known_.begin(), known_.end(), [](const entry& a, const entry& b) {
    return std::pair(a.path_hash, a.offset) < std::pair(b.path_hash, b.offset);
  });
}

// Two paths with one hash would cost no more than that one of them is hashed again.
bool hash_checkpoint::is_newest(std::size_t known) const {
  return known + 1 == known_.size() || known_[known + 1].path_hash != known_[known].path_hash;
}

// In the order of hashes, every nth record is as good as one drawn at random.
bool hash_checkpoint::is_mostly_dead() const {
  const std::size_t step = (known_.size() + sampled_records - 1) / sampled_records;
  std::size_t looked_at = 0;
  std::size_t dead = 0;
  for (std::size_t i = 0; i < known_.size(); i += step) {
    ++looked_at;
    if (!is_newest(i) || !is_current(record_at(known_[i].offset))) ++dead;
  }
  return dead * 2 > looked_at;
}

// In the order of the log, which is nearly that of the tree: neighbours are near each other on disk.
std::vector<std::uint64_t> hash_checkpoint::newest_records() const {
  std::vector<std::uint64_t> offsets;
  for (std::size_t i = 0; i < known_.size(); ++i) {
    if (is_newest(i)) offsets.push_back(known_[i].offset);
  }
  std::sort(offsets.begin(), offsets.end());
  return offsets;
}

/// Copies those of them that are alive, and says how many they are.
std::uint64_t hash_checkpoint::copy_live(const std::vector<std::uint64_t>& offsets,
                                         const checkpoint::output_sink& append) const {
  constexpr std::size_t part_bytes = std::size_t{1} << 18;
  std::uint64_t live = 0;
  std::string part;
  for (const auto offset : offsets) {
    const auto record = record_at(offset);
    if (!is_current(record)) continue;
    ++live;
    (part += record) += '\0';
    if (part.size() < part_bytes) continue;
    append(part);
    part.clear();
  }
  append(part);
  return live;
}

/// False: it failed, and the log is what it was.
bool hash_checkpoint::compact(const checkpoint_options& options) {
  const auto offsets = newest_records();
  const auto write = [&](const checkpoint::output_sink& append) {
    index_set finished;
    finished.insert({0, copy_live(offsets, append)});
    return finished;
  };
  try {
    kept_.replace_output(write);
  } catch (const std::system_error& error) {
    options.error_handler("checkpoint's log " + log_path_ +
                          " was not compacted, and the run goes on with it: " + error.what());
    return false;
  }
  return true;
}

/// Without its NUL.
std::string hash_checkpoint::record_at(std::uint64_t offset) const {
  std::string bytes(longest_record("") + most_path_bytes, '\0');
  bytes.resize(read_at(log_.get(), offset, bytes.data(), bytes.size()));
  const auto end = bytes.find('\0');
  if (end == std::string::npos) throw std::runtime_error(log_path_ + ": could not be read");
  bytes.resize(end);
  return bytes;
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
