// SPDX-License-Identifier: Apache-2.0
#include "hash_record.hpp"

#include <charconv>
#include <stdexcept>

namespace harrier::cli {

namespace {

constexpr std::size_t longest_number = 20;
constexpr std::size_t numbers = 3;
constexpr std::size_t digest_characters = 64;

std::string_view take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) throw std::runtime_error("the checkpoint's log is damaged");
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return word;
}

template <class Number>
Number take_number(std::string_view& rest) {
  const auto word = take_word(rest);
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) {
    throw std::runtime_error("the checkpoint's log is damaged");
  }
  return value;
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
  digest.sha256_hex = take_word(record);
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
