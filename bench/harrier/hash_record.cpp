// SPDX-License-Identifier: Apache-2.0
#include "hash_record.hpp"

#include <charconv>
#include <stdexcept>

namespace harrier::cli {

namespace {

constexpr std::size_t longest_number = 20;
constexpr std::size_t numbers = 3;
constexpr std::size_t digest_characters = 64;

[[noreturn]] void refuse() { throw std::runtime_error("the checkpoint's log is damaged"); }

std::string_view take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) refuse();
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return word;
}

/// Nothing but what record_of() writes: no -0, no zeros in front.
template <class Number>
Number take_number(std::string_view& rest) {
  const auto word = take_word(rest);
  Number value{};
  std::from_chars(word.data(), word.data() + word.size(), value);
  if (std::to_string(value) != word) refuse();
  return value;
}

std::string_view take_digest(std::string_view& rest) {
  const auto word = take_word(rest);
  if (word.size() != digest_characters ||
      word.find_first_not_of("0123456789abcdef") != std::string_view::npos) {
    refuse();
  }
  return word;
}

}  // namespace

std::string record_of(const file_digest& digest) {
  std::string text = digest.sha256_hex + " " + std::to_string(digest.identity.bytes) + " " +
                     std::to_string(digest.identity.seconds) + " " +
                     std::to_string(digest.identity.nanoseconds) + " " + digest.path;
  text += '\0';
  return text;
}

file_digest parse_record(std::string_view record) {
  file_digest digest;
  digest.sha256_hex = take_digest(record);
  digest.identity.is_regular = true;
  digest.identity.bytes = take_number<std::uint64_t>(record);
  digest.identity.seconds = take_number<std::int64_t>(record);
  digest.identity.nanoseconds = take_number<std::int64_t>(record);
  digest.bytes = digest.identity.bytes;
  digest.path = record;
  return digest;
}

std::string_view path_of_record(std::string_view record) {
  for (std::size_t word = 0; word <= numbers; ++word) take_word(record);
  return record;
}

std::size_t longest_record(std::string_view path) {
  return digest_characters + 1 + numbers * (longest_number + 1) + path.size() + 1;
}

}  // namespace harrier::cli
