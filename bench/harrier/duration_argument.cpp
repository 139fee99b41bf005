// SPDX-License-Identifier: Apache-2.0
#include "duration_argument.hpp"

#include <charconv>
#include <string_view>

namespace harrier::cli {

namespace {

double seconds_in(std::string_view unit) {
  if (unit.empty() || unit == "s") return 1;
  if (unit == "ms") return 1e-3;
  if (unit == "m") return 60;
  if (unit == "h") return 3600;
  return 0;
}

constexpr double most_seconds = 366.0 * 24 * 3600;

}  // namespace

std::optional<std::chrono::nanoseconds> parse_duration(const std::string& text) {
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc()) return std::nullopt;
  value *= seconds_in(std::string_view(unit, static_cast<std::size_t>(end - unit)));
  if (!(value > 0 && value <= most_seconds)) return std::nullopt;
  const auto time =
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(value));
  if (time == std::chrono::nanoseconds::zero()) return std::nullopt;
  return time;
}

CLI::Option* add_duration_option(CLI::App& command, const std::string& name,
                                 std::optional<std::chrono::nanoseconds>& to,
                                 const std::string& description) {
  const auto check = [](const std::string& text) {
    if (parse_duration(text)) return std::string();
    return "must be a time such as 10, 1.5s, 250ms, 5m or 2h, not '" + text + "'";
  };
  return command
      .add_option_function<std::string>(
          name, [&to](const std::string& text) { to = parse_duration(text); }, description)
      ->check(check)
      ->type_name("TIME");
}

}  // namespace harrier::cli
