// SPDX-License-Identifier: Apache-2.0
// Hostile files: a checkpoint, and a record of the log that `harrier hash` keeps beside one. Whatever the
// bytes are, they are refused as documented, or are what we would have written ourselves. The first
// byte chooses.
#include <harrier/chunk.hpp>
#include <harrier/detail/checkpoint_format.hpp>
#include <harrier/detail/crc32c.hpp>

#include "fuzz/expect.hpp"
#include "fuzz/input.hpp"
#include "hash_record.hpp"

#include <stdexcept>
#include <string>
#include <string_view>

namespace harrier::fuzz {

namespace {

using detail::checkpoint_contents;
using detail::crc32c;
using detail::decode_checkpoint;
using detail::encode_checkpoint;

std::string little_endian(std::uint64_t value, unsigned bytes) {
  std::string text;
  for (; bytes != 0; --bytes, value >>= 8) text += static_cast<char>(value);
  return text;
}

void check_snapshot(std::string_view bytes) {
  checkpoint_contents contents;
  try {
    contents = decode_checkpoint(bytes, "FILE");
  } catch (const checkpoint_error& refused) {
    expect(std::string_view(refused.what()).starts_with("checkpoint FILE is "),
           "a refusal does not say of what");
    return;
  }
  std::uint64_t size = 0;
  std::uint64_t last = 0;
  for (const index_range& each : contents.finished.ranges()) {
    expect(!each.empty() && (size == 0 || each.first > last), "ranges touch, or are out of order");
    size += each.size();
    last = each.last;
  }
  expect(last <= contents.total && size == contents.finished.size(), "ranges beyond the total");
  expect(encode_checkpoint(contents) == bytes, "accepted what encode() does not write");
}

/// With a head and a sum that fit: what is between is reached.
void check_framed_snapshot(std::string_view between) {
  std::string bytes = "harrckpt" + little_endian(1, 4);
  bytes += little_endian(bytes.size() + 8 + between.size() + 4, 8);
  bytes += between;
  bytes += little_endian(crc32c(0, bytes), 4);
  check_snapshot(bytes);
}

/// What is written comes back, and not with any byte changed.
void check_written_snapshot(input from) {
  checkpoint_contents contents;
  contents.total = from.number(8);
  contents.seed = from.number(8);
  contents.fingerprint = from.number(2);
  contents.output_bytes = from.number(8);
  contents.output_crc = static_cast<std::uint32_t>(from.number(4));
  const std::size_t changed_at = from.number(2);
  const std::uint8_t change = from.byte();
  for (unsigned left = from.below(32); left != 0; --left) {
    const std::uint64_t first = from.number(1 + from.below(8));
    const std::uint64_t size = 1 + from.number(from.below(8));
    if (first >= contents.total || size > contents.total - first) break;
    contents.finished.insert(index_range(first, first + size));
  }
  contents.name = from.rest();
  std::string bytes = encode_checkpoint(contents);
  expect(decode_checkpoint(bytes, "FILE") == contents, "what was written does not come back");
  if (change == 0) return;
  char& changed = bytes[changed_at % bytes.size()];
  changed = static_cast<char>(changed ^ change);
  try {
    decode_checkpoint(bytes, "FILE");
    expect(false, "a changed byte was accepted");
  } catch (const checkpoint_error&) {  // as it should be
  }
}

void check_log_record(std::string_view record) {
  if (record.find('\0') != std::string_view::npos) return;  // it ends the record
  try {
    const cli::file_digest digest = cli::parse_record(record);
    expect(cli::record_of(digest) == std::string(record) + '\0', "accepted another record");
    expect(cli::path_of_record(record) == digest.path, "a record with two paths");
    expect(record.size() < cli::longest_record(digest.path), "a record longer than the longest");
  } catch (const std::runtime_error& refused) {
    expect(std::string_view(refused.what()) == "the checkpoint's log is damaged", refused.what());
  }
}

void check_chunk(std::string_view text) {
  try {
    expect(chunk::decode(text).encode() == text, "accepted a chunk that encode() does not write");
  } catch (const std::invalid_argument&) {  // refused
  }
}

}  // namespace
}  // namespace harrier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace harrier::fuzz;
  input from(data, size);
  switch (from.byte() % 5) {
    case 0:
      check_snapshot(from.rest());
      break;
    case 1:
      check_framed_snapshot(from.rest());
      break;
    case 2:
      check_written_snapshot(from);
      break;
    case 3:
      check_log_record(from.rest());
      break;
    default:
      check_chunk(from.rest());
      break;
  }
  return 0;
}
