// SPDX-License-Identifier: Apache-2.0
// The two families of primitives: for all loops, and for one loop, where plain numbers do.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/execution.hpp>
#include <harrier/detail/published_position.hpp>
#include <harrier/detail/spaced_mutex.hpp>
#include <harrier/detail/spin_mutex.hpp>
#include <harrier/detail/sync_word.hpp>

namespace harrier::detail {

/// Binds a primitive to the first loop that uses it.
class loop_binding {
 public:
  /// Throws foreign_loop on another loop. Ordinary code, which runs no loop, may pass.
  void check(const char* what) {
    if (!is_here()) [[unlikely]] {
      bind(what);
    }
  }
  /// The same for what cannot throw: ends the program.
  void check_or_die(const char* message) noexcept {
    if (!is_here() && loop_ != nullptr) [[unlikely]] {
      fatal(message);
    }
  }

 private:
  bool is_here() const noexcept {
    const execution* at = here();
    return at == nullptr || at->loop == loop_;
  }
  HARRIER_EXPORT void bind(const char* what);

  event_loop* loop_ = nullptr;
};

/// Used from any loop, which costs no check.
struct no_binding {
  void check(const char*) noexcept {}
  void check_or_die(const char*) noexcept {}
};

struct HARRIER_EXPORT any_loop {
  using word = atomic_sync_word;
  using lock = spin_mutex;
  using side_lock = spaced_mutex;
  using position = published_position;
  using binding = no_binding;
};

struct HARRIER_EXPORT one_loop {
  using word = plain_sync_word;
  using lock = no_lock;
  using side_lock = no_lock;
  using position = plain_position;
  using binding = loop_binding;
};

}  // namespace harrier::detail
