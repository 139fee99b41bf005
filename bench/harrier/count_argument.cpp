// SPDX-License-Identifier: Apache-2.0
#include "count_argument.hpp"

#include "units.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <string_view>

namespace harrier::cli {

namespace {

constexpr std::string_view suffixes = "kKmMgG";

/// A number as it is written, exactly: a double would take 1.001k for a little less than 1001.
class decimal {
 public:
  /// Takes digits off the front of `text`; those of a fraction count for less and less. False: there
  /// are more of them than a number of 64 bits has.
  bool take_digits(std::string_view& text, bool is_fraction) {
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; text.remove_prefix(1)) {
      has_digits_ = true;
      exponent_ -= is_fraction ? 1 : 0;
      ++zeros_;  // a zero is worth nothing before another digit follows
      if (text.front() == '0') continue;
      if (!times_ten_to_the(zeros_)) return false;
      zeros_ = 0;
      digits_ += static_cast<std::uint64_t>(text.front() - '0');
    }
    return has_digits_;
  }

  void take_exponent(std::string_view& text) {
    if (!text.starts_with('e') && !text.starts_with('E')) return;
    std::string_view number = text.substr(1);
    if (number.starts_with('+')) number.remove_prefix(1);
    constexpr int most = 1'000'000;  // longer than any argument
    int value = 0;
    const char* const end = number.data() + number.size();
    const auto [rest, error] = std::from_chars(number.data(), end, value);
    if (rest == number.data() || (text[1] == '+' && number.starts_with('-'))) return;
    if (error != std::errc()) value = number.starts_with('-') ? -most : most;
    exponent_ += std::clamp(value, -most, most);
    text = std::string_view(rest, static_cast<std::size_t>(end - rest));
  }

  void take_suffix(std::string_view& text) {
    if (text.size() != 1) return;
    const std::size_t which = suffixes.find(text.front());
    if (which == suffixes.npos) return;
    exponent_ += 3 * (1 + static_cast<int>(which / 2));
    text = {};
  }

  /// Nothing if it is not whole, or too large.
  std::optional<std::uint64_t> whole() {
    if (digits_ == 0) return 0;
    if (exponent_ + zeros_ < 0 || !times_ten_to_the(exponent_ + zeros_)) return std::nullopt;
    return digits_;
  }

 private:
  bool times_ten_to_the(int power) {
    for (; power > 0 && digits_ != 0; --power) {
      if (digits_ > (std::numeric_limits<std::uint64_t>::max() - 9) / 10) return false;
      digits_ *= 10;
    }
    return true;
  }

  bool has_digits_ = false;
  std::uint64_t digits_ = 0;  // without the zeros at the end
  int zeros_ = 0;
  int exponent_ = 0;
};

// No option goes near it.
constexpr std::uint64_t most_count = (std::uint64_t{1} << 53) - 1;

}  // namespace

std::optional<std::uint64_t> parse_count(const std::string& text) {
  std::string_view rest = text;
  decimal number;
  const bool has_digits = number.take_digits(rest, false);
  bool has_fraction = false;
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    has_fraction = number.take_digits(rest, true);
  }
  if (!has_digits && !has_fraction) return std::nullopt;
  number.take_exponent(rest);
  number.take_suffix(rest);
  const auto value = number.whole();
  if (!rest.empty() || !value || *value > most_count) return std::nullopt;
  return value;
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
