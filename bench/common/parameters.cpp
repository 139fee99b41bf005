// SPDX-License-Identifier: Apache-2.0
#include "parameters.hpp"

#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace bench {
namespace {

[[noreturn]] void refuse(const std::string& name, std::string_view text, const char* wanted) {
  std::fprintf(stderr, "%s=%.*s: expected %s\n", name.c_str(), static_cast<int>(text.size()),
               text.data(), wanted);
  std::exit(2);
}

std::uint64_t to_number(const std::string& name, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) refuse(name, text, "a number");
  return value;
}

}  // namespace

std::uint64_t parameter(std::string_view name, std::uint64_t quick, std::uint64_t standard,
                        std::uint64_t official) {
  const std::string variable = "HARRIER_BENCH_" + std::string(name);
  if (const char* text = std::getenv(variable.c_str())) return to_number(variable, text);
  const char* size = std::getenv("HARRIER_BENCH_SIZE");
  const std::string_view chosen = size == nullptr ? "default" : size;
  if (chosen == "quick") return quick;
  if (chosen == "default") return standard;
  if (chosen == "official") return official;
  refuse("HARRIER_BENCH_SIZE", chosen, "quick, default or official");
}

std::vector<std::size_t> worker_counts() {
  const char* text = std::getenv("HARRIER_BENCH_WORKERS");
  std::string_view left = text == nullptr ? "1,2" : text;
  std::vector<std::size_t> counts;
  while (!left.empty()) {
    const std::size_t comma = left.find(',');
    const std::uint64_t count = to_number("HARRIER_BENCH_WORKERS", left.substr(0, comma));
    if (count == 0) refuse("HARRIER_BENCH_WORKERS", left, "numbers from 1");
    counts.push_back(count);
    left = comma == std::string_view::npos ? std::string_view() : left.substr(comma + 1);
  }
  return counts;
}

std::vector<std::size_t> oversubscribed_workers() {
  return {static_cast<std::size_t>(parameter("OVERSUBSCRIBED_WORKERS", 8, 64, 64))};
}

}  // namespace bench
