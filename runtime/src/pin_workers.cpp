// SPDX-License-Identifier: Apache-2.0
// Worker threads on the processors that the runtime's placement has for them.
#include <harrier/detail/runtime_core.hpp>

#include <exception>
#include <string>
#include <system_error>

namespace harrier::detail {

namespace {

std::string text_of(const std::vector<int>& processors) {
  std::string text;
  for (const int each : processors) {
    text += (text.empty() ? "" : ",") + std::to_string(each);
  }
  return text;
}

}  // namespace

/// Under the mutex, before the first thread.
void runtime_core::make_placement() {
  placement_ = std::make_unique<const placement>(
      options_.pinning, options_.processors ? options_.processors() : usable_processors(),
      workers());
  blocking_.on_thread_start([where = placement_.get()] { where->unpin(); });
}

void runtime_core::pin_worker(std::size_t worker) noexcept {
  const std::error_code failed = placement_->pin(worker);
  if (!failed) {
    return;
  }
  placement_->unpin();  // a pinned worker may have made this thread
  try {
    const std::string what = "worker " + std::to_string(worker) +
                             " could not be pinned to processors " +
                             text_of(placement_->processors_of(worker));
    report_to(handler().get(),
              error_report(what, std::make_exception_ptr(std::system_error(failed, what)), {}));
  } catch (const std::bad_alloc&) {
    report_to(handler().get(),
              error_report("a worker could not be pinned", std::current_exception(), {}));
  }
}

}  // namespace harrier::detail
