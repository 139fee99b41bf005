// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace harrier::cli {

/// While one lives, the first SIGINT asks the program to end what it has begun; the second ends it
/// at once, with exit_interrupted.
class interrupt_watch {
 public:
  interrupt_watch();
  interrupt_watch(const interrupt_watch&) = delete;
  interrupt_watch& operator=(const interrupt_watch&) = delete;
  ~interrupt_watch();

  bool is_interrupted() const noexcept;
};

}  // namespace harrier::cli
