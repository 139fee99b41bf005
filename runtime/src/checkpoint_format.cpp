// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/checkpoint_format.hpp>

#include <harrier/detail/crc32c.hpp>

#include <cstddef>
#include <limits>

namespace harrier {

checkpoint_error::checkpoint_error(checkpoint_refusal refusal, const std::string& path,
                                   const std::string& reason)
    : std::runtime_error("checkpoint " + path + " " + reason), why_(refusal) {}

namespace detail {

namespace {

constexpr std::string_view magic = "harrckpt";
constexpr std::uint32_t version = 1;
constexpr std::size_t crc_bytes = 4;
constexpr std::size_t size_position = 12;  // of the field that holds the size of the file
constexpr std::size_t least_bytes = 72;  // a file without a name or ranges

void put(std::string& to, std::uint64_t value, std::size_t bytes) {
  for (std::size_t at = 0; at < bytes; ++at) {
    to += static_cast<char>(value >> (8 * at));
  }
}

void put_variable(std::string& to, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) {
    to += static_cast<char>(value | 0x80);
  }
  to += static_cast<char>(value);
}

/// Takes numbers off the front of what is left.
class reader {
 public:
  reader(std::string_view bytes, const std::string& path) : left_(bytes), path_(path) {}

  std::string_view take(std::uint64_t bytes) {
    if (bytes > left_.size()) {
      refuse();
    }
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(bytes));
    left_.remove_prefix(taken.size());
    return taken;
  }

  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    unsigned shift = 0;
    for (const char byte : take(bytes)) {
      value |= std::uint64_t{static_cast<unsigned char>(byte)} << shift;
      shift += 8;
    }
    return value;
  }

  std::uint64_t variable() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint64_t byte = number(1);
      const std::uint64_t bits = byte & 0x7f;
      value |= bits << shift;
      if (value >> shift != bits) {
        break;  // more bits than there is room for
      }
      if (byte < 0x80) {
        if (bits == 0 && shift != 0) {
          break;  // longer than it need be: we write each number in one way
        }
        return value;
      }
    }
    refuse();
  }

  bool empty() const noexcept { return left_.empty(); }

  /// The checksum fits and what it is of does not: whoever wrote it did not write what we do.
  [[noreturn]] void refuse() const {
    throw checkpoint_error(checkpoint_refusal::damaged, path_,
                           "is damaged: what it says contradicts itself");
  }

 private:
  std::string_view left_;
  const std::string& path_;
};

void check_frame(std::string_view bytes, const std::string& path) {
  if (magic.substr(0, bytes.size()) != bytes.substr(0, magic.size())) {
    throw checkpoint_error(checkpoint_refusal::not_a_checkpoint, path, "is not a checkpoint");
  }
  reader head(bytes.substr(bytes.size() < magic.size() ? bytes.size() : magic.size()), path);
  if (bytes.size() >= size_position) {
    if (const auto written = head.number(4); written != version) {
      throw checkpoint_error(checkpoint_refusal::other_version, path,
                             "is of version " + std::to_string(written) + "; this program reads " +
                                 std::to_string(version));
    }
  }
  if (bytes.size() < least_bytes || bytes.size() < head.number(8)) {
    throw checkpoint_error(
        checkpoint_refusal::truncated, path,
        "is truncated: only " + std::to_string(bytes.size()) + " bytes of it are there");
  }
  const std::size_t summed = bytes.size() - crc_bytes;
  reader tail(bytes.substr(summed), path);
  if (crc32c(0, bytes.substr(0, summed)) != tail.number(crc_bytes)) {
    throw checkpoint_error(checkpoint_refusal::damaged, path,
                           "is damaged: its checksum does not fit");
  }
}

void read_ranges(reader& from, checkpoint_contents& to) {
  std::uint64_t position = 0;
  for (auto left = from.number(8); left != 0; --left) {
    const std::uint64_t gap = from.variable();
    const std::uint64_t length = from.variable();
    const bool touches = gap == 0 && !to.finished.empty();  // it would be one range with the last
    if (length == 0 || touches || gap > to.total - position || length > to.total - position - gap) {
      from.refuse();
    }
    position += gap + length;
    to.finished.insert(index_range(position - length, position));
  }
}

}  // namespace

std::string encode_checkpoint(const checkpoint_contents& contents) {
  std::string bytes(magic);
  put(bytes, version, 4);
  put(bytes, 0, 8);  // the size, once it is known
  put(bytes, contents.total, 8);
  put(bytes, contents.seed, 8);
  put(bytes, contents.fingerprint, 8);
  put(bytes, contents.output_bytes, 8);
  put(bytes, contents.output_crc, 4);
  put(bytes, contents.name.size(), 4);
  bytes += contents.name;
  put(bytes, contents.finished.ranges().size(), 8);
  std::uint64_t position = 0;
  for (const index_range& each : contents.finished.ranges()) {
    put_variable(bytes, each.first - position);
    put_variable(bytes, each.size());
    position = each.last;
  }
  std::string size;
  put(size, bytes.size() + crc_bytes, 8);
  bytes.replace(size_position, size.size(), size);
  put(bytes, crc32c(0, bytes), crc_bytes);
  return bytes;
}

checkpoint_contents decode_checkpoint(std::string_view bytes, const std::string& path) {
  check_frame(bytes, path);
  reader from(bytes.substr(size_position, bytes.size() - size_position - crc_bytes), path);
  if (from.number(8) != bytes.size()) {
    from.refuse();
  }
  checkpoint_contents contents;
  contents.total = from.number(8);
  contents.seed = from.number(8);
  contents.fingerprint = from.number(8);
  contents.output_bytes = from.number(8);
  contents.output_crc = static_cast<std::uint32_t>(from.number(4));
  contents.name = from.take(from.number(4));
  read_ranges(from, contents);
  if (!from.empty()) {
    from.refuse();
  }
  return contents;
}

}  // namespace detail
}  // namespace harrier
