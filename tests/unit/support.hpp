// SPDX-License-Identifier: Apache-2.0
// What the unit tests share. Including this header makes a leaked coroutine frame a failure of the
// test that leaked it: a listener compares live_frames() with 0 when each test ends.
#pragma once

#include <harrier/runner.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HARRIER_TEST_SANITIZED 1
#endif
#endif
#if !defined(HARRIER_TEST_SANITIZED) && \
    (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define HARRIER_TEST_SANITIZED 1
#endif
#if !defined(HARRIER_TEST_SANITIZED)
#define HARRIER_TEST_SANITIZED 0
#endif

namespace harrier::test {

using namespace std::chrono_literals;

/// `plain` in ordinary builds, `sanitized` where every await costs ten times as much.
template <class Count>
constexpr Count scaled(Count plain, Count sanitized) {
  return HARRIER_TEST_SANITIZED != 0 ? sanitized : plain;
}

/// The test's own error: nothing in the library can throw it.
class boom : public std::runtime_error {
 public:
  boom() : std::runtime_error("boom") {}
  explicit boom(const std::string& what) : std::runtime_error(what) {}
};

/// Counts its living instances, so that a test can tell when a parameter or a local died.
class tracked {
 public:
  tracked() noexcept { living().fetch_add(1); }
  tracked(const tracked& /*other*/) noexcept { living().fetch_add(1); }
  tracked(tracked&& /*other*/) noexcept { living().fetch_add(1); }
  tracked& operator=(const tracked&) noexcept = default;
  tracked& operator=(tracked&&) noexcept = default;
  ~tracked() { living().fetch_sub(1); }
  static long alive() noexcept { return living().load(); }

 private:
  static std::atomic<long>& living() noexcept {
    static std::atomic<long> count{0};
    return count;
  }
};

/// Options of a runner whose time is `time`.
inline runner_options on(clock& time) {
  runner_options options;
  options.time = &time;
  return options;
}

/// Collects what an exception handler is told. Thread safe; hand it over as std::ref(log).
class error_log {
 public:
  void operator()(const error_report& report) {
    const std::lock_guard lock(mutex_);
    reports_.push_back(report);
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return reports_.size();
  }
  error_report at(std::size_t index) const {
    const std::lock_guard lock(mutex_);
    return reports_.at(index);
  }

 private:
  mutable std::mutex mutex_;
  std::vector<error_report> reports_;
};

/// Whether `error` holds an Error.
template <class Error>
bool holds(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    return true;
  } catch (...) {  // the question was only whether it is an Error
    return false;
  }
}

/// The text of the std::exception in `error`, or "" if there is none.
inline std::string text_of(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {  // not a std::exception: it has no text
    return {};
  }
}

/// Runs `f` on a thread of its own and waits for it; what it throws is thrown here.
template <class F>
void on_another_thread(F f) {
  std::exception_ptr error;
  std::thread thread([&] {
    try {
      f();
    } catch (...) {
      error = std::current_exception();
    }
  });
  thread.join();
  if (error) std::rethrow_exception(error);
}

/// Counts up on any thread; ordinary code waits until the count is reached.
class tally {
 public:
  void add(long by = 1) {
    const std::lock_guard lock(mutex_);
    value_ += by;
    changed_.notify_all();  // under the lock: whoever waits may destroy us once it has it
  }
  long value() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }
  void wait_for(long count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return value_ >= count; });
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  long value_ = 0;
};

/// Coroutines wait at it until open() lets them all through. Any thread may open it. Its awaiter is
/// a foreign one for the library: it resumes by posting to the loop that the coroutine waited on.
class gate {
 public:
  class awaiter {
   public:
    explicit awaiter(gate& owner) noexcept : owner_(&owner) {}
    bool await_ready() const noexcept { return owner_->is_open(); }
    bool await_suspend(std::coroutine_handle<> h) { return owner_->enqueue(h); }
    void await_resume() const noexcept {}

   private:
    gate* owner_;
  };

  awaiter wait() noexcept { return awaiter(*this); }

  bool is_open() const noexcept { return open_.load(); }

  /// How many coroutines have come to wait here so far.
  std::size_t arrivals() const {
    const std::lock_guard lock(mutex_);
    return arrivals_;
  }

  void open() {
    std::vector<waiter> waiters;
    {
      const std::lock_guard lock(mutex_);
      open_.store(true);
      waiters.swap(waiters_);
    }
    for (const waiter& w : waiters) {
      w.loop->post([h = w.handle] { h.resume(); });
    }
  }

 private:
  struct waiter {
    event_loop* loop;
    std::coroutine_handle<> handle;
  };

  bool enqueue(std::coroutine_handle<> h) {
    event_loop& loop = this_loop();
    const std::lock_guard lock(mutex_);
    if (open_.load()) return false;
    waiters_.push_back(waiter{&loop, h});
    ++arrivals_;
    return true;
  }

  mutable std::mutex mutex_;
  std::atomic<bool> open_{false};
  std::vector<waiter> waiters_;
  std::size_t arrivals_ = 0;
};

/// An awaitable that is ready at once: not a task, so it shows that run() takes any awaitable.
class ready_int {
 public:
  explicit ready_int(int value) noexcept : value_(value) {}
  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<> /*h*/) const noexcept {}
  int await_resume() const noexcept { return value_; }

 private:
  int value_;
};

// Small coroutines that many tests need. They are inline functions with value parameters, so their
// frames own everything they use.

inline task<int> give(int value) { co_return value; }

inline task<int> throw_boom(std::string text = "boom") {
  throw boom(text);
  co_return 0;
}

inline task<int> sleep_then(duration delay, int value) {
  co_await sleep_for(delay);
  co_return value;
}

inline task<> sleep_then_throw(duration delay, std::string text) {
  co_await sleep_for(delay);
  throw boom(text);
}

/// Never ends by itself: only a cancel ends it.
inline task<> sleep_for_ever() {
  for (;;) co_await sleep_for(24h);
}

/// Holds a tracked parameter in its frame until the frame dies.
inline task<> hold(tracked /*value*/, bool& started) {
  started = true;
  co_await sleep_for(24h);
}

class leak_listener : public testing::EmptyTestEventListener {
  void OnTestEnd(const testing::TestInfo& info) override {
    EXPECT_EQ(live_frames(), 0u) << info.test_suite_name() << '.' << info.name()
                                 << " left coroutine frames behind";
    EXPECT_EQ(tracked::alive(), 0)
        << info.test_suite_name() << '.' << info.name() << " left tracked objects behind";
  }
};

// gtest's UnitTest is made on first use, so a static initialiser may add to its listeners; being
// inline, this runs once per test program however many files include the header.
inline const bool leak_listener_installed = [] {
  testing::UnitTest::GetInstance()->listeners().Append(new leak_listener);
  return true;
}();

}  // namespace harrier::test
