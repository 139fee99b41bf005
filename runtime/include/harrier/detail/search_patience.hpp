// SPDX-License-Identifier: Apache-2.0
// How long a worker that has nothing to do looks for work before it sleeps: as long as that has paid
// lately.
//
// A sleep and a wake cost some microseconds and two system calls; a search that ends in a sleep anyway
// takes that time away from whoever else wants the core. Which of the two is the better bet depends on
// the program, and is learnt from the searches themselves.
//
// Threads     the slot's own.
// Rule        a share of 0 to 1 says how often waiting has paid: each search that found something only
//             after it had waited moves it an eighth of the way to 1, each that found nothing an eighth
//             of the way to 0; what is found at the first look says nothing about waiting. A search
//             looks 1 to `most` times, in proportion. One in `trial_interval` looks `most` times, so
//             that a change is noticed.
// Rejected    learning from how long the worker slept: it needs a clock, and a wake that comes soon
//             may have been meant for others.
#pragma once

#include <cstdint>

namespace harrier::detail {

class search_patience {
 public:
  static constexpr std::uint32_t most = 40;
  static constexpr std::uint32_t trial_interval = 16;

  /// How often the search that begins now looks.
  std::uint32_t begin() noexcept {
    return ++searches_ % trial_interval == 0 ? most : 1 + share_ * (most - 1) / whole;
  }
  /// The search has found something at its look number `look`, counted from 0.
  void found_at(std::uint32_t look) noexcept {
    if (look != 0) {
      share_ += (whole - share_ + 7) / 8;
    }
  }
  void found_nothing() noexcept { share_ -= (share_ + 7) / 8; }

 private:
  static constexpr std::uint32_t whole = 1024;
  std::uint32_t share_ = whole;  // a new worker is patient
  std::uint32_t searches_ = 0;
};

}  // namespace harrier::detail
