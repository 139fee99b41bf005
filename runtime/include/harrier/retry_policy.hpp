// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <vector>

namespace harrier {

/// How often an item of a batch is tried, after which errors, and how long it waits in between:
/// `retry_policy().attempts(5).backoff(10ms, 2.0, 1s).jitter(0.2).on<net_error>()`.
///
/// The waits are on the workers' clock, and the item keeps its place in the window meanwhile. The
/// jitter is a function of the batch's seed, the item's index and the attempt, so a run repeats.
/// A cancelled item is not tried again.
class HARRIER_EXPORT retry_policy {
 public:
  retry_policy();
  ~retry_policy();
  retry_policy(const retry_policy&);
  retry_policy(retry_policy&&) noexcept;
  retry_policy& operator=(const retry_policy&);
  retry_policy& operator=(retry_policy&&) noexcept;

  /// At most `most` attempts for each item, the first included. Throws std::invalid_argument for 0.
  retry_policy& attempts(std::uint32_t most);
  /// No end of attempts. A batch takes it only together with a deadline.
  retry_policy& unlimited() noexcept;
  /// Waits `first` before the second attempt, then `factor` times as long each time, `longest` at
  /// most. Throws std::invalid_argument for a negative time or a factor below 1.
  retry_policy& backoff(duration first, double factor = 2.0,
                        duration longest = std::chrono::seconds(30));
  /// Each wait is up to this share shorter or longer. Throws std::invalid_argument outside 0 to 1.
  retry_policy& jitter(double share);
  /// Tries again only after an E; call it for each type. Without it, after any error.
  template <class E>
  retry_policy& on() {
    matches_.push_back(&is_a<E>);
    return *this;
  }

  bool is_unlimited() const noexcept { return most_ == 0; }
  /// Whether an item that has failed that often, for the last time with `error`, is tried again.
  bool wants_retry(std::uint32_t attempts, const std::exception_ptr& error) const noexcept;
  /// How long it waits before that.
  duration wait_after(std::uint32_t attempts, std::uint64_t seed) const noexcept;

 private:
  template <class E>
  static bool is_a(const std::exception_ptr& error) noexcept {
    try {
      std::rethrow_exception(error);
    } catch (const E&) {
      return true;
    } catch (...) {  // the question was only whether it is an E
      return false;
    }
  }

  std::uint32_t most_ = 3;  // 0: no end
  duration first_{0};
  double factor_ = 2.0;
  duration longest_ = std::chrono::seconds(30);
  double jitter_ = 0;
  std::vector<bool (*)(const std::exception_ptr&) noexcept> matches_;
};

}  // namespace harrier
