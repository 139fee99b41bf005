// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/event_loop.hpp>

#include <string_view>
#include <utility>

namespace harrier::detail {

/// A record that is taken back unless it is kept.
class unlisted_record {
 public:
  unlisted_record(promise_base& root, event_loop& home, std::string_view name)
      : record_(&make_unlisted_root_record(root, home, name)) {}
  ~unlisted_record() {
    if (record_ != nullptr) {
      take_back_unlisted(*record_);
    }
  }
  unlisted_record(const unlisted_record&) = delete;
  unlisted_record& operator=(const unlisted_record&) = delete;
  task_record& keep() noexcept { return *std::exchange(record_, nullptr); }

 private:
  task_record* record_;
};

}  // namespace harrier::detail
