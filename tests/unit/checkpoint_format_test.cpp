// SPDX-License-Identifier: Apache-2.0
// The bytes of a checkpoint: whatever happened to them, they are refused or mean what was written.
#include <harrier/detail/checkpoint_format.hpp>

#include <harrier/detail/crc32c.hpp>
#include <harrier/item_seed.hpp>

#include "checkpoint_support.hpp"

#include <random>

namespace harrier::test {
namespace {

using detail::checkpoint_contents;
using detail::crc32c;
using detail::decode_checkpoint;
using detail::encode_checkpoint;

checkpoint_contents example() {
  checkpoint_contents contents;
  contents.name = "squares";
  contents.total = 1'000'000;
  contents.seed = 42;
  contents.fingerprint = 0xfedcba9876543210;
  contents.output_bytes = 123456789012;
  contents.output_crc = 0xdeadbeef;
  contents.finished.insert({3, 4});
  contents.finished.insert({100, 70'000});
  contents.finished.insert({999'999, 1'000'000});
  return contents;
}

checkpoint_contents decoded(const std::string& bytes) { return decode_checkpoint(bytes, "FILE"); }

// The sums that RFC 3720 gives for CRC-32C.
TEST(crc32c, known_sums) {
  EXPECT_EQ(crc32c(0, ""), 0u);
  EXPECT_EQ(crc32c(0, "123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(0, std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(0, std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(crc32c(0, "12345"), "6789"), 0xe3069283u);
  EXPECT_EQ(crc32c(crc32c(0, "1234567890"), "1234567"), crc32c(0, "12345678901234567"));
}

// Checkpoints and chunks of other days hold numbers that were made with these.
TEST(item_seed, never_changes) {
  EXPECT_EQ(item_seed(0, 0), 0xa706dd2f4d197e6fu);
  EXPECT_EQ(item_seed(0, 1), 0x8b4fda8c892b50eu);
  EXPECT_EQ(item_seed(1, 0), 0x5e41ab087439611eu);
  static_assert(item_seed(7, 9) == item_seed(7, 9));
}

TEST(checkpoint_format, gives_back_what_it_was_given) {
  EXPECT_EQ(decoded(encode_checkpoint(example())), example());
  EXPECT_EQ(decoded(encode_checkpoint(checkpoint_contents())), checkpoint_contents());
  checkpoint_contents whole;
  whole.total = ~std::uint64_t{0};
  whole.finished.insert({0, whole.total});
  EXPECT_EQ(decoded(encode_checkpoint(whole)), whole);
}

TEST(checkpoint_format, ranges_are_run_length_encoded) {
  checkpoint_contents contents;
  contents.total = 1'000'000'000;
  const auto empty = encode_checkpoint(contents).size();
  contents.finished.insert({0, 999'000'000});
  EXPECT_LE(encode_checkpoint(contents).size(), empty + 8);
}

TEST(checkpoint_format, every_flipped_bit_is_refused) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      std::string broken = bytes;
      broken[at] = static_cast<char>(static_cast<unsigned char>(broken[at]) ^ (1u << bit));
      EXPECT_THROW(decoded(broken), checkpoint_error) << "byte " << at << ", bit " << bit;
    }
  }
}

TEST(checkpoint_format, every_shorter_file_is_refused_as_truncated) {
  const std::string bytes = encode_checkpoint(example());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    expect_refused(checkpoint_refusal::truncated, [&] { decoded(bytes.substr(0, size)); });
  }
}

TEST(checkpoint_format, longer_files_are_refused) {
  const std::string bytes = encode_checkpoint(example());
  expect_refused(checkpoint_refusal::damaged, [&] { decoded(bytes + '\0'); });
  expect_refused(checkpoint_refusal::damaged, [&] { decoded(bytes + bytes); });
}

TEST(checkpoint_format, every_other_byte_is_refused) {
  const std::string bytes = encode_checkpoint(example());
  std::mt19937 random(11);
  for (int round = 0; round < 2000; ++round) {
    std::string broken = bytes;
    const std::size_t at = random() % bytes.size();
    const std::size_t length = random() % (bytes.size() - at) % 9 + 1;
    for (std::size_t k = at; k < std::min(at + length, bytes.size()); ++k) {
      broken[k] = static_cast<char>(random());
    }
    if (broken != bytes) {
      EXPECT_THROW(decoded(broken), checkpoint_error);
    }
  }
}

/// `bytes` with the checksum that fits them: what a program with a fault, or an attacker, writes.
std::string summed(std::string bytes) {
  bytes.resize(bytes.size() - 4);
  const std::uint32_t sum = crc32c(0, bytes);
  for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>(sum >> shift);
  return bytes;
}

// Nothing but what encode() could have written is taken, and nothing is read beyond the end.
TEST(checkpoint_format, a_fitting_checksum_does_not_make_sense_of_nonsense) {
  const std::string bytes = encode_checkpoint(example());
  std::mt19937 random(13);
  int taken = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string broken = bytes;
    broken[20 + random() % (bytes.size() - 24)] = static_cast<char>(random());
    broken = summed(broken);
    try {
      const checkpoint_contents contents = decoded(broken);
      EXPECT_LE(contents.finished.size(), contents.total);
      ++taken;
    } catch (const checkpoint_error& error) {
      EXPECT_EQ(error.why(), checkpoint_refusal::damaged);
    }
  }
  EXPECT_GT(taken, 0);
}

/// A file with these bytes for the ranges, of a batch of `total` items.
std::string with_ranges(std::uint64_t total, std::uint64_t count, const std::string& ranges) {
  checkpoint_contents contents;
  contents.total = total;
  std::string bytes = encode_checkpoint(contents);
  bytes.resize(bytes.size() - 8 - 4);
  for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>(count >> shift);
  bytes += ranges + "....";
  for (unsigned at = 0; at < 8; ++at) bytes[12 + at] = static_cast<char>(bytes.size() >> (8 * at));
  return summed(std::move(bytes));
}

// Found by tests/fuzz/checkpoint: each of the refused ones was taken for the same set of items, or, with
// bits beyond the 64th, for another one.
TEST(checkpoint_format, each_set_of_items_is_written_in_one_way) {
  const std::uint64_t all = ~std::uint64_t{0};
  const std::string most("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
  EXPECT_EQ(decoded(with_ranges(9, 2, std::string("\x01\x02\x01\x03", 4))).finished.size(), 5u);
  EXPECT_EQ(decoded(with_ranges(all, 1, std::string(1, '\0') + most)).finished.size(), all);
  const auto refused = [](const std::string& bytes) {
    expect_refused(checkpoint_refusal::damaged, [&] { decoded(bytes); });
  };
  refused(with_ranges(9, 2, std::string("\x01\x02\x00\x03", 4)));  // they touch
  refused(with_ranges(9, 1, std::string("\x81\x00\x02", 3)));  // a zero at the end of the gap
  refused(with_ranges(9, 1, std::string("\x01\x82\x80\x00", 4)));
  std::string beyond = std::string(1, '\0') + most;
  beyond.back() = 3;
  refused(with_ranges(all, 1, beyond));
  beyond.back() = '\x7f';
  refused(with_ranges(all, 1, beyond));
}

TEST(checkpoint_format, says_what_is_wrong) {
  EXPECT_EQ(expect_refused(checkpoint_refusal::not_a_checkpoint, [] { decoded("#!/bin/sh\n"); }),
            "checkpoint FILE is not a checkpoint");
  std::string bytes = encode_checkpoint(example());
  bytes[8] = 2;
  EXPECT_EQ(expect_refused(checkpoint_refusal::other_version, [&] { decoded(summed(bytes)); }),
            "checkpoint FILE is of version 2; this program reads 1");
  bytes[8] = 1;
  bytes[50] = static_cast<char>(bytes[50] + 1);
  EXPECT_EQ(expect_refused(checkpoint_refusal::damaged, [&] { decoded(bytes); }),
            "checkpoint FILE is damaged: its checksum does not fit");
  EXPECT_EQ(expect_refused(checkpoint_refusal::truncated, [] { decoded(""); }),
            "checkpoint FILE is truncated: only 0 bytes of it are there");
}

}  // namespace
}  // namespace harrier::test
