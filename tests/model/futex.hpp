// SPDX-License-Identifier: Apache-2.0
// The futex of the models: "the futex wake" is a step that a mutant leaves out.
#pragma once

#include "relacy_atomics.hpp"

#include <harrier/detail/parker.hpp>

#include <chrono>
#include <cstdint>

namespace harrier::detail {

inline void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                       std::chrono::steady_clock::time_point) noexcept {
  word.wait_while(expected);
}
inline void futex_wake(const std::atomic<std::uint32_t>& word, int threads) noexcept {
  if (model::has_step("the futex wake")) word.wake(threads);
}

}  // namespace harrier::detail
