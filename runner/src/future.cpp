// SPDX-License-Identifier: Apache-2.0
#include <harrier/future.hpp>

#include <harrier/detail/wait_facts.hpp>

#include <memory>
#include <utility>

namespace harrier {

invalid_state::invalid_state(const char* what) : std::logic_error(what) {}

broken_promise::broken_promise()
    : std::runtime_error("whoever was to give the result has gone without giving one") {}

namespace detail {

/// Owns itself while it is in the list.
class future_state::callback final : public future_listener {
 public:
  callback(event_loop& loop, std::function<void()> function, const void* of)
      : future_listener(&callback::told), owner(of), loop_(loop), function_(std::move(function)) {}

  static bool is(const future_listener& listener) noexcept { return listener.notify == &told; }

  const void* const owner;

 private:
  static void told(future_listener& self) noexcept {
    const std::unique_ptr<callback> mine(static_cast<callback*>(&self));
    try {
      mine->loop_.call_soon(std::move(mine->function_));
    } catch (...) {  // closed, or no memory: nobody is left to be told but the handler
      mine->loop_.report("a done callback could not be queued", std::current_exception(), {});
    }
  }

  event_loop& loop_;
  std::function<void()> function_;
};

future_state::future_state(event_loop& loop) : loop_(&loop), handler_(loop.handler()) {}

future_state::~future_state() {
  if (is_unseen_) {
    report_to(handler_.get(), error_report("future exception was never retrieved", error_, {}));
  }
  while (first_ != nullptr) {  // callbacks: whoever waits holds the state
    future_listener& left = *first_;
    remove(left);
    delete static_cast<callback*>(&left);
  }
}

void future_state::check_thread(const char* call) const {
  const execution* at = here();
  if (at != nullptr ? at->loop != loop_ : loop_->is_running()) {
    throw foreign_loop(call);
  }
}

void future_state::check_pending() const {
  if (is_done()) {
    throw invalid_state(is_cancelled() ? "the future is cancelled" : "the future is done already");
  }
}

void future_state::check_done() const {
  if (!is_done()) {
    throw invalid_state("the future has no result yet");
  }
}

void future_state::finish() noexcept {
  phase_ = phase::finished;
  tell_all();
}

void future_state::fail(std::exception_ptr error) noexcept {
  error_ = std::move(error);
  is_unseen_ = true;
  finish();
}

bool future_state::cancel(std::string message) {
  if (is_done()) {
    is_unseen_ = false;
    return false;
  }
  set_cancelled(message.empty() ? nullptr
                                : std::make_shared<const std::string>(std::move(message)));
  return true;
}

void future_state::set_cancelled(std::shared_ptr<const std::string> message) noexcept {
  message_ = std::move(message);
  phase_ = phase::cancelled;
  tell_all();
}

void future_state::abandon() noexcept {
  if (is_done()) {
    return;
  }
  const bool is_awaited = first_ != nullptr;
  try {
    error_ = std::make_exception_ptr(broken_promise());
  } catch (...) {  // no memory for this error: the other one then
    error_ = std::current_exception();
  }
  is_unseen_ = is_awaited;
  finish();
}

void future_state::rethrow() {
  if (is_cancelled()) {
    throw cancelled(message_);
  }
  if (error_ != nullptr) {
    is_unseen_ = false;
    std::rethrow_exception(error_);
  }
}

std::exception_ptr future_state::take_exception() {
  check_done();
  if (is_cancelled()) {
    throw cancelled(message_);
  }
  is_unseen_ = false;
  return error_;
}

void future_state::add(future_listener& listener) noexcept {
  listener.previous = last_;
  listener.following = nullptr;
  (last_ != nullptr ? last_->following : first_) = &listener;
  last_ = &listener;
}

void future_state::remove(future_listener& listener) noexcept {
  (listener.previous != nullptr ? listener.previous->following : first_) = listener.following;
  (listener.following != nullptr ? listener.following->previous : last_) = listener.previous;
}

void future_state::tell_all() noexcept {
  while (first_ != nullptr) {
    future_listener& next = *first_;
    remove(next);
    next.notify(next);
  }
}

void future_state::add_callback(std::function<void()> function, const void* owner) {
  if (is_done()) {
    loop_->call_soon(std::move(function));
    return;
  }
  add(*std::make_unique<callback>(*loop_, std::move(function), owner).release());
}

std::size_t future_state::remove_callbacks(const void* owner) noexcept {
  std::size_t removed = 0;
  future_listener* next = first_;
  future_listener* left = nullptr;  // destroyed at the end: destructors may use the list
  while (next != nullptr) {
    future_listener& at = *std::exchange(next, next->following);
    if (callback::is(at) && static_cast<callback&>(at).owner == owner) {
      remove(at);
      at.following = std::exchange(left, &at);
      ++removed;
    }
  }
  while (left != nullptr) {
    delete static_cast<callback*>(std::exchange(left, left->following));
  }
  return removed;
}

void future_suspension::tell(const ready_node& node, wait_facts& facts) {
  facts.object = &static_cast<const future_suspension&>(node).state_;
}

const ready_operations future_suspension::operations_table =
    suspension::wait_table("a future", future_suspension::withdraw, tell);

future_suspension::future_suspension(future_state& state) noexcept
    : suspension(operations_table), future_listener(&future_suspension::told), state_(state) {}

bool future_suspension::publish() noexcept {
  if (!begin_wait()) {
    return false;
  }
  state_.add(*this);
  return true;
}

withdrawal future_suspension::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<future_suspension&>(node);
  self.state_.remove(self);  // on the loop, which is the state's: it was not told yet
  return withdrawal::taken;
}

void future_suspension::told(future_listener& self) noexcept {
  wake(static_cast<future_suspension&>(self));
}

}  // namespace detail
}  // namespace harrier
