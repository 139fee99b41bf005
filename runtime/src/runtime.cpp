// SPDX-License-Identifier: Apache-2.0
#include <harrier/runtime.hpp>

#include <ostream>
#include <stdexcept>
#include <string>

namespace harrier {

namespace {

runtime_options with_workers(std::size_t workers) {
  runtime_options options;
  options.workers = workers;
  return options;
}

runtime_options checked(runtime_options options) {
  if (options.workers == 0 || options.workers > max_workers) {
    throw std::invalid_argument("runtime: workers is " + std::to_string(options.workers) +
                                "; it can be 1 to " + std::to_string(max_workers));
  }
  return options;
}

}  // namespace

runtime::runtime() : runtime(runtime_options()) {}
runtime::runtime(std::size_t workers) : runtime(with_workers(workers)) {}
runtime::runtime(runtime_options options)
    : core_(std::make_unique<detail::runtime_core>(checked(std::move(options)))) {}

runtime::~runtime() {
  if (detail::here() != nullptr) {
    detail::fatal("a runtime was destroyed inside a running loop, where it cannot be waited for");
  }
  core_->stop(close_options());
}

void runtime::stop(close_options how) { core_->stop(how); }

bool runtime::drain(duration limit) {
  return core_->drain(deadline_after(std::chrono::steady_clock::now(), limit));
}

bool runtime::is_stopped() const noexcept { return core_->is_stopped(); }
std::size_t runtime::workers() const noexcept { return core_->workers(); }
runtime_metrics runtime::metrics() const { return core_->metrics(); }
void runtime::trim() { core_->trim(); }
std::vector<task_ref> runtime::all_tasks() { return core_->all_tasks(); }
diagnosis runtime::diagnose() { return core_->diagnose(); }
void runtime::dump(std::ostream& out) { out << diagnose(); }

std::optional<std::size_t> this_worker::id() noexcept {
  const detail::worker_slot* slot = detail::this_slot();
  return slot == nullptr ? std::nullopt : std::optional<std::size_t>(slot->index());
}

runner& this_worker::runner() {
  detail::worker_slot* slot = detail::this_slot();
  if (slot == nullptr) {
    throw no_running_loop("this_worker::runner");
  }
  return slot->runner();
}

}  // namespace harrier
