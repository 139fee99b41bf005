// SPDX-License-Identifier: Apache-2.0
// When a runtime tells what its tasks wait for without being asked by a call.
#include <harrier/detail/runtime_core.hpp>

#include <string>

namespace harrier::detail {

runtime_core::whole_view::whole_view(runtime_core& of) noexcept
    : wider_view([](wider_view& self, examination& to) {
        static_cast<whole_view&>(self).core.add_all_live(to);
      }),
      core(of) {}

runtime_core::overdue_watch::overdue_watch(runtime_core& of)
    : wait_watch(of.options_.watchdog,
                 [](wait_watch& self, steady_duration waited) noexcept {
                   static_cast<overdue_watch&>(self).core.report_diagnosis(
                       "a thread has blocked for " + in_seconds(waited));
                 }),
      core(of) {}

runtime_core::dump_presses::dump_presses(runtime_core& of) noexcept
    : press_target(
          [](press_target& self) noexcept {
            static_cast<dump_presses&>(self).core.wake_in_handler();
          },
          [](press_target& self) noexcept {
            static_cast<dump_presses&>(self).core.deliver_dump();
          }),
      core(of) {}

void runtime_core::deliver_dump() noexcept {
  if (dumps_.take() != 0) {  // else somebody else has them
    report_diagnosis(asked_by_signal);
  }
}

}  // namespace harrier::detail
