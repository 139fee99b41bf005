// SPDX-License-Identifier: Apache-2.0
// When a runtime tells what its tasks wait for without being asked by a call.
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/thread_backtrace.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <new>
#include <string>
#include <utility>

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

void runtime_core::watch_for_stalls() noexcept {
  if (options_.stalled_after > duration::zero() && !stall_watch_) {
    try {
      stall_watch_ = std::make_unique<stall_watch>(*this, options_.stalled_after);
    } catch (const std::exception&) {  // no thread: the work matters more
      lobby_.report("runtime: stalled workers are not watched for", std::current_exception(), {});
    }
  }
}

std::string runtime_core::report_stall(worker_slot& slot, duration since) noexcept {
  bump(stalls_);
  std::string name;
  try {
    std::string text =
        "worker " + std::to_string(slot.index()) + " has been in one step for " + in_seconds(since);
    thread_capture at;
    if (capture(slot.thread_id(), at, std::chrono::milliseconds(100))) {
      name = name_of_running(at.context);
      text += frames_in_words(at);
    }
    lobby_.report(std::move(text), nullptr, name);
  } catch (const std::bad_alloc&) {  // no memory for the text
    lobby_.report("a worker is stalled", nullptr, {});
  }
  return name;
}

void runtime_core::deliver_dump() noexcept {
  if (dumps_.take() != 0) {  // else somebody else has them
    report_diagnosis(asked_by_signal);
  }
}

}  // namespace harrier::detail
