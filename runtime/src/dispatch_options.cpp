// SPDX-License-Identifier: Apache-2.0
#include <harrier/dispatch_options.hpp>

#include <stdexcept>

namespace harrier {

batch_deadline_exceeded::batch_deadline_exceeded()
    : std::runtime_error("the deadline of the batch has passed") {}
item_timed_out::item_timed_out() : std::runtime_error("an item of a batch took too long") {}

dispatch_options::dispatch_options() = default;
dispatch_options::~dispatch_options() = default;
dispatch_options::dispatch_options(const dispatch_options&) = default;
dispatch_options::dispatch_options(dispatch_options&&) noexcept = default;
dispatch_options& dispatch_options::operator=(const dispatch_options&) = default;
dispatch_options& dispatch_options::operator=(dispatch_options&&) noexcept = default;

dispatch_options& dispatch_options::with_window(std::uint64_t most) {
  if (most == 0) {
    throw std::invalid_argument("with_window: 0; nothing would ever start");
  }
  window = most;
  return *this;
}

dispatch_options& dispatch_options::with_memory_budget(std::size_t bytes, std::size_t item_bytes) {
  if (item_bytes == 0 || bytes < item_bytes) {
    throw std::invalid_argument("with_memory_budget: there is no room for a single item");
  }
  return with_window(bytes / item_bytes);
}

dispatch_options& dispatch_options::with_deadline(duration from_dispatch) {
  if (from_dispatch <= duration::zero()) {
    throw std::invalid_argument("with_deadline: it has passed already");
  }
  deadline = from_dispatch;
  return *this;
}

dispatch_options& dispatch_options::with_item_timeout(duration limit) {
  if (limit <= duration::zero()) {
    throw std::invalid_argument("with_item_timeout: no item can be that fast");
  }
  item_timeout = limit;
  return *this;
}

dispatch_options& dispatch_options::with_rate(double per_second, std::uint64_t burst) {
  if (!(per_second > 0) || burst == 0) {
    throw std::invalid_argument("with_rate: nothing would ever start");
  }
  rate = per_second;
  rate_burst = burst;
  return *this;
}

dispatch_options& dispatch_options::on_progress(
    duration period, std::function<void(const batch_progress&)> callback) {
  if (period <= duration::zero()) {
    throw std::invalid_argument("on_progress: the period is not above zero");
  }
  progress_period = period;
  progress_callback = std::move(callback);
  return *this;
}

void dispatch_options::check() const {
  if (retry && retry->is_unlimited() && deadline == duration::zero()) {
    throw std::invalid_argument("with_retry: an unlimited policy needs a deadline of the batch");
  }
}

}  // namespace harrier
