// SPDX-License-Identifier: Apache-2.0
#include "count_argument.hpp"

#include "units.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

namespace harrier::cli {

namespace {

double suffix_factor(char suffix) {
  switch (suffix) {
    case 'k':
    case 'K':
      return 1e3;
    case 'm':
    case 'M':
      return 1e6;
    case 'g':
    case 'G':
      return 1e9;
    default:
      return 0;
  }
}

// Beyond this a double no longer tells whole numbers apart; no option goes near it.
constexpr double exact_limit = 9007199254740992.0;

}  // namespace

std::optional<std::uint64_t> parse_count(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  if (end - rest == 1) {
    value *= suffix_factor(*rest++);
    if (value == 0 && text.front() != '0') return std::nullopt;
  }
  const bool is_whole =
      rest == end && value >= 0 && value < exact_limit && std::floor(value) == value;
  if (!is_whole) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

CLI::Validator count_between(std::uint64_t least, std::uint64_t most) {
  const auto range = with_separators(least) + " to " + with_separators(most);
  const std::string forms = most > 10'000 ? " (250000, 250k, 10M and 1e7 are understood)" : "";
  auto check = [=](std::string& text) {
    const auto value = parse_count(text);
    if (value && *value >= least && *value <= most) {
      text = std::to_string(*value);
      return std::string();
    }
    return "must be a whole number from " + range + forms + ", not '" + text + "'";
  };
  return CLI::Validator(check, "", "count");
}

}  // namespace harrier::cli
