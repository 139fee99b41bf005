// SPDX-License-Identifier: Apache-2.0
#include <harrier/runner.hpp>

#include <harrier/detail/press_target.hpp>

#include <ostream>
#include <stdexcept>

namespace harrier {

runner_options::runner_options() = default;
runner_options::~runner_options() = default;
runner_options::runner_options(const runner_options&) = default;
runner_options::runner_options(runner_options&&) noexcept = default;
runner_options& runner_options::operator=(const runner_options&) = default;
runner_options& runner_options::operator=(runner_options&&) noexcept = default;

namespace detail {

runner_claim::runner_claim(std::atomic<bool>& busy, const char* call) : busy_(busy) {
  if (here() != nullptr) {
    throw loop_running(call);
  }
  // acquire: pairs with the release in the destructor: the runner moves between threads
  // [runner:busy]
  if (busy_.exchange(true, std::memory_order_acquire)) {
    throw already_running();
  }
}

runner_claim::~runner_claim() {
  busy_.store(false, std::memory_order_release);  // [runner:busy]
}

/// The signals that a runner takes; a press wakes its loop.
class loop_signals final : public press_target {
 public:
  loop_signals(event_loop& loop, signals which) noexcept
      : press_target(
            [](press_target& self) noexcept {
              static_cast<loop_signals&>(self).loop_.parker().unpark();
            },
            nullptr),
        loop_(loop),
        handlers_(*this, which) {
    loop_.watch_signals(this);
  }
  ~loop_signals() { loop_.watch_signals(nullptr); }
  loop_signals(const loop_signals&) = delete;
  loop_signals& operator=(const loop_signals&) = delete;

 private:
  event_loop& loop_;
  signal_handlers handlers_;
};

/// The signal at which a runner dumps; a press wakes its loop.
class loop_dumps final : public press_target {
 public:
  loop_dumps(event_loop& loop, int signal) noexcept
      : press_target(
            [](press_target& self) noexcept {
              static_cast<loop_dumps&>(self).loop_.parker().unpark();
            },
            nullptr),
        loop_(loop),
        handlers_(*this, signal) {
    loop_.watch_dumps(this);
  }
  ~loop_dumps() { loop_.watch_dumps(nullptr); }
  loop_dumps(const loop_dumps&) = delete;
  loop_dumps& operator=(const loop_dumps&) = delete;

 private:
  event_loop& loop_;
  signal_handlers handlers_;
};

void throw_interrupted(task_record& main, int signal, const cancelled& reason) {
  // relaxed: it has ended, and this thread ran it
  if (main.state.load(std::memory_order_relaxed) / task_record::one_request > 1) {
    throw run_cancelled(reason);
  }
  throw interrupted(signal);
}

namespace {

task<> await_each(std::vector<task<>> work) {
  std::vector<join_handle<void>> handles;
  handles.reserve(work.size());
  for (task<>& each : work) {
    handles.push_back(spawn(std::move(each)));
  }
  std::exception_ptr first_error;
  for (join_handle<void>& handle : handles) {
    try {
      co_await handle;
    } catch (...) {  // kept: rethrown below, once all have ended
      if (!first_error) {
        first_error = std::current_exception();
      }
    }
  }
  if (first_error) {
    std::rethrow_exception(first_error);
  }
}

}  // namespace

std::coroutine_handle<task_promise<void>> run_each_of(std::vector<task<>>& work) {
  task<> each = await_each(std::move(work));
  return task_access::release(each);
}

}  // namespace detail

runner::runner() = default;

runner::runner(runner_options options) : options_(std::move(options)) {}

runner::~runner() {
  if (loop_ != nullptr) {
    if (loop_->is_running()) {
      detail::fatal("a runner was destroyed by code that runs in it");
    }
    close_loop(close_options());
  }
}

event_loop& runner::make_loop() {
  if (state() == runner_state::closed) {
    throw runner_closed();
  }
  if (loop_ == nullptr) {
    if (options_.on_loop_created) {
      options_.on_loop_created();
    }
    if (options_.loop_factory) {
      made_loop_ = options_.loop_factory();
      if (made_loop_ == nullptr || made_loop_->is_closed()) {
        throw std::invalid_argument("runner_options::loop_factory gave no loop that can be used");
      }
      loop_ = made_loop_.get();
    } else {
      loop_ = &own_loop_.emplace(options_.time != nullptr ? *options_.time : steady_clock(),
                                 options_.exception_handler);
    }
    if (detail::is_on(options_.debug)) {
      loop_->watch_steps(options_.slow_step);
    }
    loop_->watch_silence(options_.watchdog);
    context_ = detail::context_word::snapshot();
    state_.store(runner_state::initialized, std::memory_order_relaxed);  // see state()
  }
  return *loop_;
}

event_loop& runner::loop() {
  if (loop_ != nullptr && loop_->is_running() && !loop_->is_closed()) {
    return *loop_;  // asked from inside
  }
  return make_loop();
}

void runner::close(close_options how) {
  const detail::runner_claim claim(busy_, "runner::close");
  if (state() != runner_state::closed) {
    state_.store(runner_state::closed, std::memory_order_relaxed);  // see state()
    if (loop_ != nullptr) {
      close_loop(how);
    }
  }
}

void runner::close_loop(const close_options& how) {
  loop_->close(how.drain, how.total(options_.grace));
  dumps_.reset();
  signals_.reset();  // after the close: a press ends its grace
}

// relaxed: written by the thread that has claimed the runner; to others it is a hint.
runner_state runner::state() const noexcept { return state_.load(std::memory_order_relaxed); }

diagnosis runner::diagnose() { return loop_ != nullptr ? loop_->diagnose() : diagnosis(); }
void runner::dump(std::ostream& out) { out << diagnose(); }

void runner::run_all(std::vector<task<>> work) {
  detail::check_all_valid(work);
  run(detail::run_each(std::move(work)));
}

harrier::context runner::context() const { return harrier::context::around(context_.copy()); }

int runner::run_to_end(detail::task_record& main, const harrier::context* where) {
  if (options_.handle_signals != signals::none && signals_ == nullptr) {
    signals_ = std::make_unique<detail::loop_signals>(*loop_, options_.handle_signals);
  }
  if (options_.dump_signal != 0 && dumps_ == nullptr) {
    dumps_ = std::make_unique<detail::loop_dumps>(*loop_, options_.dump_signal);
  }
  if (where != nullptr) {
    main.context = where->share();
    return loop_->run_until_complete(main);
  }
  main.context = std::move(context_);
  int signal = 0;
  try {
    signal = loop_->run_until_complete(main);
  } catch (...) {  // main goes on in a later run, with the context as its own
    context_ = main.context.copy();
    throw;
  }
  context_ = std::move(main.context);
  return signal;
}

}  // namespace harrier
