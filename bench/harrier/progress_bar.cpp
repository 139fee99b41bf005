// SPDX-License-Identifier: Apache-2.0
#include "progress_bar.hpp"

#include "terminal.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace harrier::cli {

namespace {

// Whatever goes wrong with progress on a terminal is not worth a word.
void write_error_stream(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

constexpr const char* erase_line = "\r\x1b[K";
constexpr std::size_t widest_bar = 40;
constexpr std::size_t narrowest_bar = 8;

std::string bar_of(double share, std::size_t cells) {
  const auto full = static_cast<std::size_t>(share * static_cast<double>(cells));
  std::string bar(full, '#');
  if (full < cells) bar += '>';
  bar.resize(cells, ' ');
  return "[" + bar + "]";
}

}  // namespace

std::string progress_line(std::uint64_t done, std::uint64_t total, const std::string& what,
                          seconds_f elapsed, std::size_t columns) {
  const auto share = total == 0 ? 1.0 : static_cast<double>(done) / static_cast<double>(total);
  const auto rate = elapsed.count() > 0 ? static_cast<double>(done) / elapsed.count() : 0.0;
  auto percent = std::to_string(static_cast<int>(share * 100));
  percent.insert(0, 3 - std::min<std::size_t>(percent.size(), 3), ' ');
  auto text = "  " + percent + " %  " + short_count(static_cast<double>(done)) + " of " +
              short_count(static_cast<double>(total)) + " " + what;
  if (done > 0) {
    text += "  " + short_count(rate) + "/s  " +
            clock_time(seconds_f(static_cast<double>(total - done) / rate)) + " left";
  }
  const auto room = columns > text.size() + 3 ? columns - text.size() - 3 : 0;
  const auto cells = std::min(room, widest_bar);
  auto line = cells < narrowest_bar ? text.substr(2) : bar_of(share, cells) + text;
  line.resize(std::min(line.size(), columns - 1));
  return line;
}

progress_bar::progress_bar(bool is_wanted)
    : is_visible_(is_wanted && is_error_terminal()), start_(std::chrono::steady_clock::now()) {}

progress_bar::~progress_bar() { clear(); }

void progress_bar::draw(std::uint64_t done, std::uint64_t total, const std::string& what) {
  if (!is_visible_) return;
  show(progress_line(done, total, what, elapsed(), error_terminal_columns()));
}

void progress_bar::draw_open_ended(std::uint64_t files, std::uint64_t bytes) {
  if (!is_visible_) return;
  const auto volume = static_cast<double>(bytes);
  auto line = with_separators(files) + " files  " + short_bytes(volume) + "  " +
              short_bytes(volume / elapsed().count()) + "/s";
  line.resize(std::min(line.size(), error_terminal_columns() - 1));
  show(line);
}

void progress_bar::print_above(const std::string& line) {
  const std::lock_guard lock(mutex_);
  erase_locked();
  std::fputs((line + "\n").c_str(), stderr);
}

void progress_bar::clear() {
  const std::lock_guard lock(mutex_);
  erase_locked();
}

void progress_bar::show(const std::string& line) {
  const std::lock_guard lock(mutex_);
  write_error_stream(erase_line + line);
  is_drawn_ = true;
}

void progress_bar::erase_locked() {
  if (is_drawn_) write_error_stream(erase_line);
  is_drawn_ = false;
}

seconds_f progress_bar::elapsed() const { return std::chrono::steady_clock::now() - start_; }

}  // namespace harrier::cli
