// SPDX-License-Identifier: Apache-2.0
// What a loop says of the tasks that wait: when it is asked, by a call or a signal, when it has been silent
// for too long, and when nothing can ever run again.
#include <harrier/detail/examination.hpp>
#include <harrier/detail/press_target.hpp>
#include <harrier/detail/task_record.hpp>
#include <harrier/event_loop.hpp>

#include <new>
#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>

namespace harrier {

/// The same with what everybody waits for, if there is memory for that.
deadlock event_loop::explained(const deadlock& bare) noexcept {
  try {
    return deadlock(diagnose());
  } catch (const std::bad_alloc&) {  // then without
    return bare;
  }
}

/// False: something has come. Otherwise it was silent for as long as may be, which is told, or until
/// then there is too little time.
bool event_loop::sleep_watched(time_point latest) {
  const time_point end = deadline_after(now(), longest_silence_);
  if (end >= latest) {
    return true;
  }
  sleep_until(end);
  if (!inbox_.empty() || is_pressed() || wants_dump() || now() < end) {
    return false;
  }
  if (live_.size() != 0) {
    report_diagnosis("nothing has run for " + detail::in_seconds(longest_silence_));
  }
  return true;
}

bool event_loop::wants_dump() const noexcept { return dumps_ != nullptr && dumps_->is_pressed(); }

void event_loop::dump_for_signal() noexcept {
  if (dumps_->take() != 0) {
    report_diagnosis(detail::asked_by_signal);
  }
}

diagnosis event_loop::diagnose() {
  detail::examination all;
  if (view_ != nullptr) {
    view_->add_all(*view_, all);
  } else {
    check_thread("event_loop::diagnose");
    live_.for_each([&](detail::task_record& record) { all.add(record, std::nullopt); });
  }
  return all.conclude();
}

void event_loop::dump(std::ostream& out) { out << diagnose(); }

void event_loop::report_diagnosis(const std::string& message) noexcept {
  try {
    std::ostringstream text;
    text << message << ":\n" << diagnose();
    report(std::move(text).str(), nullptr, {});
  } catch (const std::bad_alloc&) {  // no memory for the text
    report(message, nullptr, {});
  }
}

}  // namespace harrier
