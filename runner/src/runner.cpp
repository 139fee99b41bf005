// SPDX-License-Identifier: Apache-2.0
#include <harrier/runner.hpp>

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

task<> run_each(std::vector<task<>> work) {
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

}  // namespace detail

runner::runner() = default;

runner::runner(runner_options options) : options_(std::move(options)) {}

runner::~runner() {
  if (loop_) {
    if (loop_->is_running()) {
      detail::fatal("a runner was destroyed by code that runs in it");
    }
    loop_->close(options_.grace);
  }
}

event_loop& runner::make_loop() {
  if (state() == runner_state::closed) {
    throw runner_closed();
  }
  if (!loop_) {
    if (options_.on_loop_created) {
      options_.on_loop_created();
    }
    loop_.emplace(options_.time != nullptr ? *options_.time : steady_clock(),
                  options_.exception_handler);
    context_ = detail::context_word::snapshot();
    state_.store(runner_state::initialized, std::memory_order_relaxed);  // see state()
  }
  return *loop_;
}

event_loop& runner::loop() {
  if (loop_ && loop_->is_running() && !loop_->is_closed()) {
    return *loop_;  // asked from inside
  }
  return make_loop();
}

void runner::close() {
  const detail::runner_claim claim(busy_, "runner::close");
  if (state() != runner_state::closed) {
    state_.store(runner_state::closed, std::memory_order_relaxed);  // see state()
    if (loop_) {
      loop_->close(options_.grace);
    }
  }
}

// relaxed: written by the thread that has claimed the runner; to others it is a hint.
runner_state runner::state() const noexcept { return state_.load(std::memory_order_relaxed); }

void runner::run_all(std::vector<task<>> work) {
  detail::check_all_valid(work);
  run(detail::run_each(std::move(work)));
}

harrier::context runner::context() const { return harrier::context::around(context_.copy()); }

void runner::run_to_end(detail::task_record& main, const harrier::context* where) {
  if (where != nullptr) {
    main.context = where->share();
    loop_->run_until_complete(main);
    return;
  }
  main.context = std::move(context_);
  try {
    loop_->run_until_complete(main);
  } catch (...) {  // main goes on in a later run, with the context as its own
    context_ = main.context.copy();
    throw;
  }
  context_ = std::move(main.context);
}

}  // namespace harrier
