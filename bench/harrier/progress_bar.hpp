// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "units.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

namespace harrier::cli {

/// One line on standard error that says how far the work is, redrawn in place: a bar, the rate and
/// the time left. Nothing is ever written when standard error is not a terminal.
///
/// Threads   any thread; every member takes the lock.
class progress_bar {
 public:
  /// How often draw() is worth calling.
  static constexpr std::chrono::milliseconds interval{100};

  /// The clock of rate and time left starts now. It is visible on a terminal, unless nobody wants it.
  explicit progress_bar(bool is_wanted = true);
  /// Erases the line.
  ~progress_bar();
  progress_bar(const progress_bar&) = delete;
  progress_bar& operator=(const progress_bar&) = delete;

  bool is_visible() const noexcept { return is_visible_; }

  /// Shows `done` of `total` in units of `what`.
  void draw(std::uint64_t done, std::uint64_t total, const std::string& what);
  /// Shows how much was done when nobody knows how much there is.
  void draw_open_ended(std::uint64_t files, std::uint64_t bytes);
  /// Writes a line of its own, such as an error, without disturbing the bar.
  void print_above(const std::string& line);
  /// Erases the line; the next draw() brings it back.
  void clear();

 private:
  void show(const std::string& line);
  void erase_locked();
  seconds_f elapsed() const;

  const bool is_visible_;
  const std::chrono::steady_clock::time_point start_;
  std::mutex mutex_;
  bool is_drawn_ = false;  // guarded by mutex_
};

/// The text of one drawn line, at most `columns` wide:
/// `[#########>        ]  52 %  5.20 M of 10.0 M coroutines  81.2 M/s  0:01 left`
std::string progress_line(std::uint64_t done, std::uint64_t total, const std::string& what,
                          seconds_f elapsed, std::size_t columns);

}  // namespace harrier::cli
