// SPDX-License-Identifier: Apache-2.0
#include "on_error_argument.hpp"

#include "count_argument.hpp"

#include <charconv>

namespace harrier::cli {

namespace {

std::optional<error_policy> parse_share(const std::string& text) {
  double percent = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [rest, error] = std::from_chars(text.data(), end, percent);
  if (error != std::errc() || rest != end || !(percent >= 0 && percent <= 100)) return std::nullopt;
  return tolerate(percent / 100);
}

}  // namespace

std::optional<error_policy> parse_error_policy(const std::string& text) {
  if (text == "fail") return fail_fast;
  if (text == "collect") return collect_all;
  if (text.ends_with('%')) return parse_share(text);
  const auto most = parse_count(text);
  if (!most) return std::nullopt;
  return tolerate(*most);
}

CLI::Option* add_on_error_option(CLI::App& command, error_policy& to,
                                 const std::string& description) {
  const auto check = [](const std::string& text) {
    if (parse_error_policy(text)) return std::string();
    return "must be fail, collect, a number of failures or a share such as 5%, not '" + text + "'";
  };
  return command
      .add_option_function<std::string>(
          "--on-error", [&to](const std::string& text) { to = *parse_error_policy(text); },
          description)
      ->check(check)
      ->type_name("fail|collect|N|X%");
}

}  // namespace harrier::cli
