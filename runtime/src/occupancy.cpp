// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/occupancy.hpp>

#include <harrier/detail/parker.hpp>

#include <chrono>
#include <climits>

namespace harrier::detail {

// Every change of the word is a sequentially consistent read-modify-write: the release of the one
// who leaves and the acquire of the next who enters are among them  [occupancy:handover]

occupancy::call_result occupancy::call() noexcept {
  std::uint32_t now = word_.load(std::memory_order_seq_cst);
  std::uint32_t next = 0;
  do {
    if (now != vacant && now != occupied) {
      return call_result::known;
    }
    next = now == vacant ? called : recalled;
  } while (!word_.compare_exchange_weak(now, next, std::memory_order_seq_cst));
  return next == called ? call_result::send : call_result::heard;
}

bool occupancy::enter() noexcept {
  std::uint32_t expected = called;
  // [occupancy:handover] what the last one did inside is visible
  return word_.compare_exchange_strong(expected, occupied, std::memory_order_seq_cst);
}

bool occupancy::leave() noexcept { return step_out(vacant); }
bool occupancy::renew() noexcept { return step_out(called); }

bool occupancy::step_out(std::uint32_t to) noexcept {
  std::uint32_t now = occupied;
  if (!word_.compare_exchange_strong(now, to, std::memory_order_seq_cst)) {
    HARRIER_ASSERT(now == recalled);
    word_.store(occupied, std::memory_order_seq_cst);  // only the one inside writes a recalled word
    return false;
  }
  // The word, then the flag; the closer writes the flag, then reads the word: one sees the other.
  if (closing_.load(std::memory_order_seq_cst)) {
    futex_wake(word_, INT_MAX);
  }
  return true;
}

occupancy::closed_from occupancy::close() noexcept {
  closing_.store(true, std::memory_order_seq_cst);
  std::uint32_t now = word_.load(std::memory_order_seq_cst);
  for (;;) {
    if (now == closed) {
      return closed_from::closed;
    }
    if (now == occupied || now == recalled) {
      futex_wait(word_, now, std::chrono::steady_clock::time_point::max());
      now = word_.load(std::memory_order_seq_cst);
    } else if (word_.compare_exchange_weak(now, closed, std::memory_order_seq_cst)) {
      return now == vacant ? closed_from::vacant : closed_from::called;
    }
  }
}

void occupancy::doze() const noexcept {
  futex_wait(word_, occupied, std::chrono::steady_clock::now() + std::chrono::milliseconds(1));
}

}  // namespace harrier::detail
