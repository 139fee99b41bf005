// SPDX-License-Identifier: Apache-2.0
#include <harrier/callback_handle.hpp>

#include <harrier/detail/callback_node.hpp>
#include <harrier/event_loop.hpp>

#include <exception>

namespace harrier {

namespace detail {

const ready_operations callback_node::table{callback_node::run, nullptr, callback_node::discard,
                                            false, callback_node::due};

bool callback_node::leave(phase from, phase to) noexcept {
  // relaxed: the callback is the loop's own, or came with the queue; a failure tells only whose it is
  return phase_.compare_exchange_strong(from, to, std::memory_order_relaxed,
                                        std::memory_order_relaxed);
}

void callback_node::run(ready_node& node, execution& at) {
  auto& self = static_cast<callback_node&>(node);
  if (self.leave(phase::queued, phase::ended)) {
    context_word context = std::move(self.context_);
    const context_scope within(context);
    const std::function<void()> call = std::move(self.callback_);
    self.drop_reference();
    try {
      call();
    } catch (...) {  // reported: the loop goes on with the next one
      at.loop->report("a callback threw", std::current_exception(), {});
    }
    return;
  }
  at.loop->timers().remove(self);  // called off: it may be there still
  self.drop_reference();
}

void callback_node::discard(ready_node& node) noexcept {
  auto& self = static_cast<callback_node&>(node);
  if (self.leave(phase::queued, phase::ended)) {
    self.callback_ = nullptr;
  } else {
    self.loop_.timers().remove(self);  // called off: it may be there still
  }
  self.drop_reference();
}

void callback_node::due(ready_node& node) noexcept {
  auto& self = static_cast<callback_node&>(node);
  if (self.leave(phase::timed, phase::queued)) {
    self.loop_.enqueue(self);
  }  // else it is in the inbox, called off
}

void callback_node::drop_timed() noexcept {
  if (leave(phase::timed, phase::ended)) {
    callback_ = nullptr;
    drop_reference();
  }  // else whoever has called it off has posted it
}

bool callback_node::cancel() noexcept {
  phase now = phase_.load(std::memory_order_relaxed);  // hint: re-checked
  do {
    if (now == phase::ended || now == phase::withdrawn) {
      return false;
    }
    // relaxed: the callback was made before the handle, and nobody else touches it afterwards
  } while (!phase_.compare_exchange_weak(now, phase::withdrawn, std::memory_order_relaxed,
                                         std::memory_order_relaxed));
  callback_ = nullptr;
  if (now == phase::queued) {
    return true;
  }
  if (here() == &loop_.execution()) {
    loop_.timers().remove(*this);
    drop_reference();
  } else if (!loop_.post_node(*this)) {
    drop_reference();
  }
  return true;
}

void callback_node::drop_reference() noexcept {
  // acq_rel: what each holder did happens before the last one destroys  [callback:references]
  if (references_.load(std::memory_order_acquire) == 1 ||
      references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {  // [callback:references]
    delete this;
  }
}

}  // namespace detail

callback_handle::~callback_handle() {
  if (node_ != nullptr) {
    node_->drop_reference();
  }
}

bool callback_handle::cancel() noexcept { return node_ != nullptr && node_->cancel(); }

bool callback_handle::is_cancelled() const noexcept {
  return node_ != nullptr && node_->is_cancelled();
}

time_point callback_handle::when() const noexcept {
  return node_ != nullptr ? node_->when : time_point{};
}

}  // namespace harrier
