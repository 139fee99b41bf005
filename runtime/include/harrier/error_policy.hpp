// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/config.hpp>

#include <concepts>
#include <cstdint>

namespace harrier {

/// What a batch does when items fail for good, after their retries: fail_fast, collect_all or
/// tolerate(). A cancelled item has not failed.
class HARRIER_EXPORT error_policy {
 public:
  constexpr error_policy(bool cancels, std::uint64_t most, double share) noexcept
      : cancels_(cancels), most_(most), share_(share) {}

  /// Whether one failure too many cancels the rest.
  constexpr bool cancels() const noexcept { return cancels_; }
  constexpr bool is_share() const noexcept { return share_ > 0; }
  constexpr bool tolerates() const noexcept { return most_ > 0 || is_share(); }
  constexpr std::uint64_t most() const noexcept { return most_; }
  constexpr double share() const noexcept { return share_; }

 private:
  bool cancels_;
  std::uint64_t most_;
  double share_;
};

/// The first failure cancels the rest; once all have ended, it is thrown.
inline constexpr error_policy fail_fast(true, 0, 0);
/// Every item runs to its end. The first failure is thrown then, all are in errors().
inline constexpr error_policy collect_all(false, 0, 0);

/// Up to `most` failures are no failure of the batch; one more is, as with fail_fast.
template <std::unsigned_integral N>
constexpr error_policy tolerate(N most) noexcept {
  return error_policy(true, most, 0);
}
/// Throws std::invalid_argument for a negative number.
template <std::signed_integral N>
error_policy tolerate(N most);
/// The same for a share of the items, 0 to 1. While the input of unknown length has not ended, of
/// those that were pulled, and of 100 at least. Throws std::invalid_argument.
HARRIER_EXPORT error_policy tolerate(double share);

namespace detail {
HARRIER_EXPORT void refuse_negative_tolerance();
}

template <std::signed_integral N>
error_policy tolerate(N most) {
  if (most < 0) {
    detail::refuse_negative_tolerance();
  }
  return error_policy(true, static_cast<std::uint64_t>(most), 0);
}

}  // namespace harrier
