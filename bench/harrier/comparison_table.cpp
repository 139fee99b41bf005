// SPDX-License-Identifier: Apache-2.0
#include "comparison_table.hpp"

#include "report.hpp"
#include "terminal.hpp"
#include "units.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace harrier::cli {

namespace {

constexpr double cells_per_decade = 3;

// 1 ns is the start of the scale; nothing here is faster.
std::string bar_of(double ns, bool is_utf8) {
  static constexpr std::array<const char*, 8> eighths{"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const auto length = static_cast<std::size_t>(
      std::round(8 * cells_per_decade * std::max(0.0, std::log10(std::max(ns, 1.0)))));
  std::string bar;
  for (std::size_t cell = 0; cell < length / 8; ++cell) bar += is_utf8 ? "█" : "#";
  if (is_utf8) bar += eighths[length % 8];
  return bar;
}

std::string line_of(const std::string& name, const std::string& time, const std::string& loops,
                    const std::string& coroutines, const std::string& bar) {
  return "  " + pad_right(name, 30) + pad_left(time, 9) + pad_left(loops, 10) +
         pad_left(coroutines, 11) + (bar.empty() ? "" : "  " + bar) + "\n";
}

std::string time_text(double ns) { return short_time(seconds_f(ns * 1e-9)); }

}  // namespace

std::string comparison_table(const std::string& title, const std::vector<contender_figures>& rows) {
  const bool is_utf8 = is_locale_utf8();
  std::string table = line_of(title, "each", "loops", "coroutines", "");
  for (const auto& row : rows) {
    table += line_of(row.name, time_text(row.ns_per_coroutine), with_separators(row.loops_created),
                     with_separators(row.coroutines), bar_of(row.ns_per_coroutine, is_utf8));
  }
  return table;
}

}  // namespace harrier::cli
