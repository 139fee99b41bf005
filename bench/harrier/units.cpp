// SPDX-License-Identifier: Apache-2.0
#include "units.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace harrier::cli {

namespace {

// Three significant digits of a number below 1000.
std::string three_digits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

template <std::size_t N>
std::string scaled(double value, const std::array<const char*, N>& units) {
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < N) {
    value /= 1000;
    ++unit;
  }
  return three_digits(value) + units[unit];
}

}  // namespace

std::string with_separators(std::uint64_t value) {
  auto text = std::to_string(value);
  for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), 1, ',');
  }
  return text;
}

std::string short_count(double value) {
  return scaled(value, std::array<const char*, 5>{"", " k", " M", " G", " T"});
}

std::string short_bytes(double bytes) {
  if (bytes < 1000) return std::to_string(static_cast<std::uint64_t>(bytes)) + " B";
  return scaled(bytes / 1000, std::array<const char*, 4>{" kB", " MB", " GB", " TB"});
}

std::string short_time(seconds_f time) {
  return scaled(time.count() * 1e9, std::array<const char*, 4>{" ns", " us", " ms", " s"});
}

std::string clock_time(seconds_f time) {
  const auto all = static_cast<std::uint64_t>(std::ceil(time.count()));
  const auto hours = all / 3600;
  const auto minutes = all / 60 % 60;
  const auto seconds = all % 60;
  std::array<char, 64> text{};
  if (hours > 0) {
    std::snprintf(text.data(), text.size(), "%ju:%02ju:%02ju", std::uintmax_t{hours},
                  std::uintmax_t{minutes}, std::uintmax_t{seconds});
  } else {
    std::snprintf(text.data(), text.size(), "%ju:%02ju", std::uintmax_t{minutes},
                  std::uintmax_t{seconds});
  }
  return text.data();
}

}  // namespace harrier::cli
