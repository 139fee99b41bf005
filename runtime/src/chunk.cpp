// SPDX-License-Identifier: Apache-2.0
#include <harrier/chunk.hpp>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace harrier {

namespace {

constexpr std::string_view format = "harrier-chunk/1";

[[noreturn]] void refuse(std::string_view why) {
  throw std::invalid_argument("chunk::decode: " + std::string(why));
}

std::string_view take_word(std::string_view& rest) {
  const auto end = rest.find(' ');
  if (end == std::string_view::npos) {
    refuse("it is cut short");
  }
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return word;
}

template <class Number>
Number take_number(std::string_view& rest) {
  const auto word = take_word(rest);
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool is_padded = word.size() > 1 && word.front() == '0';
  if (error != std::errc() || end != word.data() + word.size() || is_padded) {
    refuse("'" + std::string(word) + "' is not a number");
  }
  return value;
}

}  // namespace

std::string chunk::encode() const {
  std::string text(format);
  for (const std::uint64_t number : {items.first, items.last, seed, std::uint64_t{attempt}}) {
    text += " " + std::to_string(number);
  }
  return text + " " + procedure;
}

chunk chunk::decode(std::string_view text) {
  if (take_word(text) != format) {
    refuse("it is not a " + std::string(format));
  }
  chunk made;
  made.items.first = take_number<std::uint64_t>(text);
  made.items.last = take_number<std::uint64_t>(text);
  made.seed = take_number<std::uint64_t>(text);
  made.attempt = take_number<std::uint32_t>(text);
  made.procedure = text;
  if (made.items.first > made.items.last) {
    refuse("its items end before they begin");
  }
  return made;
}

chunk chunk::next_attempt() const {
  chunk again = *this;
  ++again.attempt;
  return again;
}

std::vector<chunk> chunk::cut(std::uint64_t most) const {
  if (most == 0) {
    throw std::invalid_argument("chunk::cut: parts of no items");
  }
  std::vector<chunk> parts;
  for (std::uint64_t first = items.first; first < items.last;) {
    const std::uint64_t last = first + std::min(most, items.last - first);
    parts.emplace_back(procedure, index_range(first, last), seed, attempt);
    first = last;
  }
  return parts;
}

}  // namespace harrier
