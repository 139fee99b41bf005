// SPDX-License-Identifier: Apache-2.0
// Arguments of the `harrier` program, one a line: they are refused with a message and status 2, or ask for
// help, or for work, which is not done here. And what a single argument means: each is read as a
// count, as a time and as an error policy, and the answers checked against a plainer reader.
#include "command_line.hpp"
#include "count_argument.hpp"
#include "duration_argument.hpp"
#include "fuzz/expect.hpp"
#include "fuzz/input.hpp"
#include "on_error_argument.hpp"

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace harrier::fuzz {

namespace {

constexpr std::uint64_t most_count = std::uint64_t{1} << 53;

bool is_digit(char of) { return of >= '0' && of <= '9'; }

/// Of a number in decimal: the digits, and by how many places the point is right of them.
class decimal {
 public:
  std::string digits;
  long places = 0;
};

std::string_view take_digits(std::string_view& from) {
  std::size_t count = 0;
  while (count < from.size() && is_digit(from[count])) ++count;
  const std::string_view taken = from.substr(0, count);
  from.remove_prefix(count);
  return taken;
}

/// A number at the front of `text`, which is moved behind it. Nothing: there is none.
std::optional<decimal> take_decimal(std::string_view& text) {
  decimal number;
  number.digits = take_digits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    const std::string_view fraction = take_digits(text);
    number.places = -static_cast<long>(fraction.size());
    number.digits += fraction;
  }
  if (number.digits.empty()) return std::nullopt;
  std::string_view behind = text;
  if (behind.starts_with('e') || behind.starts_with('E')) {
    behind.remove_prefix(1);
    const bool is_negative = behind.starts_with('-');
    if (is_negative || behind.starts_with('+')) behind.remove_prefix(1);
    const std::string exponent(take_digits(behind));
    if (exponent.empty()) return number;
    const long size = std::strtol(exponent.c_str(), nullptr, 10);  // the largest, if it is larger
    number.places += (is_negative ? -1 : 1) * std::min(size, 1'000'000L);
    text = behind;
  }
  return number;
}

/// The digits of that count, by moving the point along them. Nothing: it is none.
std::optional<std::string> count_in_digits(std::string_view text) {
  auto number = take_decimal(text);
  if (!number) return std::nullopt;
  if (text.size() == 1) {
    constexpr std::string_view suffixes = "kKmMgG";
    const std::size_t which = suffixes.find(text.front());
    if (which == suffixes.npos) return std::nullopt;
    number->places += 3 * (1 + static_cast<long>(which / 2));
    text = {};
  }
  if (!text.empty()) return std::nullopt;
  std::string& digits = number->digits;
  digits.erase(0, digits.find_first_not_of('0'));
  if (digits.empty()) return "0";
  for (; digits.back() == '0'; ++number->places) digits.pop_back();
  if (number->places < 0 || number->places + static_cast<long>(digits.size()) > 16) {
    return std::nullopt;
  }
  digits.append(static_cast<std::size_t>(number->places), '0');
  return digits;
}

void check_count(const std::string& text) {
  const auto count = cli::parse_count(text);
  auto expected = count_in_digits(text);
  if (expected && std::strtoull(expected->c_str(), nullptr, 10) >= most_count) expected.reset();
  expect(count.has_value() == expected.has_value(),
         "'" + text + "' is " + (count ? "a" : "no") + " count");
  if (!count) return;
  expect(std::to_string(*count) == *expected, "'" + text + "' is another count");
  expect(cli::parse_count(std::to_string(*count)) == count, "a count is not read as it is written");
}

void check_duration(const std::string& text) {
  using namespace std::chrono_literals;
  const auto time = cli::parse_duration(text);
  if (!time) return;
  expect(*time > 0ns && *time <= 366 * 24h, "'" + text + "' is a time out of range");
  char* unit = nullptr;
  long double nanoseconds = std::strtold(text.c_str(), &unit) * 1e9L;
  const std::string_view name = unit;
  nanoseconds *= name == "ms" ? 1e-3L : name == "m" ? 60.0L : name == "h" ? 3600.0L : 1.0L;
  const long double error = std::fabs(nanoseconds - static_cast<long double>(time->count()));
  expect(error <= 1 + nanoseconds * 1e-12L, "'" + text + "' is another time");
}

void check_policy(const std::string& text) {
  const auto policy = cli::parse_error_policy(text);
  if (!policy) {
    expect(text != "fail" && text != "collect" && !cli::parse_count(text), "a policy was refused");
    return;
  }
  if (text == "collect") {
    expect(!policy->cancels(), "collect cancels");
  } else {
    expect(policy->cancels(), "'" + text + "' cancels nothing");
    expect(policy->share() >= 0 && policy->share() <= 1, "'" + text + "' is no share");
    expect(policy->most() < most_count, "'" + text + "' is no number of failures");
  }
}

/// The lines of the text. An argument has no NUL: it ends there.
std::vector<std::string> arguments_in(std::string_view text) {
  std::vector<std::string> arguments;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string line(text.substr(0, end));
    arguments.push_back(line.substr(0, line.find('\0')));
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  return arguments;
}

void check_arguments(const std::vector<std::string>& arguments) {
  const cli::parsed_command asked = cli::parse_command_line(arguments);
  if (asked.work) {
    expect(asked.text.empty() && asked.complaint.empty(), "work, and something to print");
  } else if (asked.status == 0) {
    expect(!asked.text.empty() && asked.complaint.empty(), "nothing to do, and nothing to print");
  } else {
    expect(asked.status == 2, "refused with another status");
    expect(asked.complaint.starts_with("harrier") && asked.complaint.ends_with("--help'.\n"),
           "refused without saying why: " + asked.complaint);
  }
}

}  // namespace
}  // namespace harrier::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace harrier::fuzz;
  input from(data, size);
  const auto arguments = arguments_in(from.rest());
  for (const std::string& each : arguments) {
    check_count(each);
    check_duration(each);
    check_policy(each);
  }
  // One alone is no command, and making all options takes a hundred times as long as reading it.
  if (arguments.size() != 1 || arguments.front().starts_with('-')) check_arguments(arguments);
  return 0;
}
