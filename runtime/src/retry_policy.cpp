// SPDX-License-Identifier: Apache-2.0
#include <harrier/retry_policy.hpp>

#include <harrier/error_policy.hpp>
#include <harrier/item_seed.hpp>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace harrier {

namespace detail {

void refuse_negative_tolerance() {
  throw std::invalid_argument("tolerate: a number of failures cannot be negative");
}

}  // namespace detail

error_policy tolerate(double share) {
  if (!(share >= 0 && share <= 1)) {
    throw std::invalid_argument("tolerate: a share of the items is between 0 and 1");
  }
  return error_policy(true, 0, share);
}

retry_policy::retry_policy() = default;
retry_policy::~retry_policy() = default;
retry_policy::retry_policy(const retry_policy&) = default;
retry_policy::retry_policy(retry_policy&&) noexcept = default;
retry_policy& retry_policy::operator=(const retry_policy&) = default;
retry_policy& retry_policy::operator=(retry_policy&&) noexcept = default;

retry_policy& retry_policy::attempts(std::uint32_t most) {
  if (most == 0) {
    throw std::invalid_argument("retry_policy::attempts: 0; the first attempt counts");
  }
  most_ = most;
  return *this;
}

retry_policy& retry_policy::unlimited() noexcept {
  most_ = 0;
  return *this;
}

retry_policy& retry_policy::backoff(duration first, double factor, duration longest) {
  if (first < duration::zero() || longest < duration::zero() || !(factor >= 1)) {
    throw std::invalid_argument(
        "retry_policy::backoff: times cannot be negative, the factor not below 1");
  }
  first_ = first;
  factor_ = factor;
  longest_ = longest;
  return *this;
}

retry_policy& retry_policy::jitter(double share) {
  if (!(share >= 0 && share <= 1)) {
    throw std::invalid_argument("retry_policy::jitter: a share is between 0 and 1");
  }
  jitter_ = share;
  return *this;
}

bool retry_policy::wants_retry(std::uint32_t attempts,
                               const std::exception_ptr& error) const noexcept {
  if (!is_unlimited() && attempts >= most_) {
    return false;
  }
  return matches_.empty() || std::any_of(matches_.begin(), matches_.end(),
                                         [&](const auto& matches) { return matches(error); });
}

duration retry_policy::wait_after(std::uint32_t attempts, std::uint64_t seed) const noexcept {
  using ticks = std::chrono::duration<double, duration::period>;
  const double grown = ticks(first_).count() * std::pow(factor_, attempts - 1);
  const double wait = std::min(grown, ticks(longest_).count());
  // Evenly in [-jitter, +jitter].
  constexpr double steps = 9007199254740992.0;  // 2^53
  const double at = static_cast<double>(item_seed(seed, attempts) >> 11) / steps;
  const double shaken = wait * (1 + jitter_ * (2 * at - 1));
  const ticks most(static_cast<double>((duration::max() / 2).count()));
  return std::chrono::duration_cast<duration>(std::min(ticks(shaken), most));
}

}  // namespace harrier
