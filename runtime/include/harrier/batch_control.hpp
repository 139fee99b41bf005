// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/detail/batch_core.hpp>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace harrier {

/// What every handle of a batch can do, whatever becomes of the results.
///
/// Threads   done(), counts(), progress(), window(), pause(), resume(), drop_unstarted() and cancel()
///           from any thread, the batch's own items included; everything else one thread at a time.
class HARRIER_EXPORT batch_control {
 public:
  batch_control(batch_control&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  batch_control& operator=(batch_control&& other) noexcept {
    if (this != &other) {
      abandon();
      core_ = std::exchange(other.core_, nullptr);
    }
    return *this;
  }

  bool valid() const noexcept { return core_ != nullptr; }
  /// How many items there are; until an input of unknown length has ended, how many were pulled.
  std::uint64_t size() const { return checked().total(); }
  bool done() const { return checked().is_done(); }

  /// Blocks a thread of ordinary code until every item has ended. Throws blocking_in_loop on a
  /// thread that runs a loop; never what an item threw.
  void wait() const { checked().wait("batch::wait"); }
  /// The same, for at most `limit`. False: it is not done.
  bool wait_for(duration limit) const;

  std::optional<item_error> first_error() const { return checked().first_error(); }
  /// The dead-letter list: every item that failed for good, by index.
  std::vector<item_error> errors() const { return checked().errors(); }
  batch_counts counts() const { return checked().counts(); }
  /// How far it has come. Costs a relaxed read of each worker's counters.
  batch_progress progress() const { return checked().progress(); }
  /// How many items may be started and unfinished at once, now.
  std::uint64_t window() const { return checked().window(); }

  /// No item starts until resume(); those that run go on. A deadline goes on as well.
  void pause() { checked().pause(); }
  void resume() { checked().resume_items(); }
  bool is_paused() const { return checked().is_paused(); }

  /// Drops the items that have not started, and cancels each one that has, once. Does not wait.
  void cancel() { checked().cancel(); }
  /// Drops the items that have not started, and lets the others end. Does not wait.
  void drop_unstarted() { checked().drop_unstarted(); }

 protected:
  batch_control() noexcept = default;
  explicit batch_control(detail::batch_core& core) noexcept : core_(&core) {}
  ~batch_control() { abandon(); }

  detail::batch_core& checked() const {
    if (core_ == nullptr) {
      throw invalid_task();
    }
    return *core_;
  }
  void wait_and_rethrow(const char* call) const;
  /// A cancel comes out of `f` as run_cancelled, as ordinary code gets it.
  template <class F>
  static auto rethrowing_outside(F f) {
    try {
      return f();
    } catch (const run_cancelled&) {
      throw;
    } catch (const cancelled& reason) {
      throw run_cancelled(reason);
    }
  }
  void abandon() noexcept {
    if (core_ != nullptr) {
      std::exchange(core_, nullptr)->abandon();
    }
  }

 private:
  detail::batch_core* core_ = nullptr;
};

}  // namespace harrier
