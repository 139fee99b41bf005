// SPDX-License-Identifier: Apache-2.0
#include <harrier/signals.hpp>

#include <harrier/detail/press_target.hpp>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstddef>
#include <mutex>
#include <thread>

namespace harrier {

const char* interrupted::what() const noexcept {
  return signal_ == SIGTERM ? "terminated by a signal" : "interrupted by a signal";
}

namespace detail {

namespace {

/// One signal: who is pressed, and what to put back.
struct signal_place {
  std::atomic<int>
      number;  // 0: any that asks for a dump; written under the mutex, before the target
  signals bit;
  std::atomic<press_target*> target{nullptr};
  struct sigaction before{};  // guarded by the mutex
};

constinit std::array<signal_place, 6> places{{{SIGINT, signals::interrupt},
                                              {SIGTERM, signals::terminate},
                                              {0, signals::none},
                                              {0, signals::none},
                                              {0, signals::none},
                                              {0, signals::none}}};
constinit std::atomic<int> visitors{0};
constinit std::atomic<int> blocking_targets{0};  // a hint to those who block
constinit std::mutex mutex;

signals operator|(signals a, signals b) noexcept {
  return static_cast<signals>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}
bool has(signals set, signals bit) noexcept {
  return (static_cast<unsigned>(set) & static_cast<unsigned>(bit)) != 0;
}

/// The target of a place stays while this lives. Safe in a handler.
class visited_target {
 public:
  explicit visited_target(signal_place& place) noexcept {
    // seq_cst: counted before the look; whoever takes the target out looks at the count after it
    // [signals:visitors]
    visitors.fetch_add(1, std::memory_order_seq_cst);
    target_ = place.target.load(std::memory_order_seq_cst);
  }
  ~visited_target() { visitors.fetch_sub(1, std::memory_order_release); }  // [signals:visitors]
  visited_target(const visited_target&) = delete;
  visited_target& operator=(const visited_target&) = delete;
  press_target* get() const noexcept { return target_; }

 private:
  press_target* target_;
};

extern "C" void harrier_on_signal(int signal) {
  const int error = errno;
  for (signal_place& place : places) {
    // acquire: whoever sees the number of a dump sees the rest as it was before  [signals:number]
    if (place.number.load(std::memory_order_acquire) == signal) {
      const visited_target at(place);
      if (at.get() != nullptr) {
        at.get()->press(signal);
      }
    }
  }
  errno = error;
}

int number_of(const signal_place& place) noexcept {
  return place.number.load(std::memory_order_relaxed);  // of those who hold the mutex
}

bool is_default(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == SIG_DFL;
}
bool is_ours(const struct sigaction& action) noexcept {
  return (action.sa_flags & SA_SIGINFO) == 0 && action.sa_handler == harrier_on_signal;
}

bool install(signal_place& place, press_target& target) noexcept {
  if (place.target.load(std::memory_order_relaxed) != nullptr ||  // written under the mutex
      ::sigaction(number_of(place), nullptr, &place.before) != 0 || !is_default(place.before)) {
    return false;
  }
  place.target.store(&target, std::memory_order_seq_cst);  // [signals:visitors]
  struct sigaction ours{};
  ours.sa_handler = harrier_on_signal;
  ::sigemptyset(&ours.sa_mask);
  // Without SA_RESTART: a thread that blocks in ordinary code comes back to look.
  if (::sigaction(number_of(place), &ours, nullptr) != 0) {
    place.target.store(nullptr, std::memory_order_seq_cst);
    return false;
  }
  return true;
}

void uninstall(signal_place& place) noexcept {
  struct sigaction now{};
  if (::sigaction(number_of(place), nullptr, &now) == 0 && is_ours(now)) {
    ::sigaction(number_of(place), &place.before, nullptr);
  }
  place.target.store(nullptr, std::memory_order_seq_cst);  // [signals:visitors]
}

}  // namespace

signal_handlers::signal_handlers(press_target& target, signals which) noexcept : target_(target) {
  const std::scoped_lock guard(mutex);
  for (signal_place& place : places) {
    if (has(which, place.bit) && install(place, target)) {
      handled_ = handled_ | place.bit;
    }
  }
  if (handled_ != signals::none) {
    count_blocked_delivery(1);
  }
}

void signal_handlers::count_blocked_delivery(int more) noexcept {
  if (target_.is_delivered_by_blocked()) {
    blocking_targets.fetch_add(more, std::memory_order_relaxed);  // a hint
  }
}

signal_handlers::signal_handlers(press_target& target, int signal) noexcept : target_(target) {
  const std::scoped_lock guard(mutex);
  for (signal_place& place : places) {
    // Of two who ask for the same signal the second finds that it has a handler already.
    if (place.bit == signals::none && number_of(place) == 0) {
      place.number.store(signal, std::memory_order_release);  // [signals:number]
      if (install(place, target)) {
        dump_signal_ = signal;
        count_blocked_delivery(1);
      } else {
        place.number.store(0, std::memory_order_release);  // [signals:number]
      }
      return;
    }
  }
}

signal_handlers::~signal_handlers() {
  if (handled_ == signals::none && dump_signal_ == 0) {
    return;
  }
  {
    const std::scoped_lock guard(mutex);
    for (signal_place& place : places) {
      if (has(handled_, place.bit)) {
        uninstall(place);
      } else if (dump_signal_ != 0 && place.bit == signals::none &&
                 number_of(place) == dump_signal_) {
        uninstall(place);
        place.number.store(0, std::memory_order_release);  // [signals:number]
      }
    }
    count_blocked_delivery(-1);
  }
  while (visitors.load(std::memory_order_seq_cst) != 0) {  // [signals:visitors]
    std::this_thread::yield();
  }
}

bool blocked_threads_deliver() noexcept {
  // relaxed: a hint, who blocks looks for itself
  return blocking_targets.load(std::memory_order_relaxed) != 0;
}

void deliver_while_blocked() noexcept {
  for (signal_place& place : places) {
    const visited_target at(place);
    if (at.get() != nullptr) {
      at.get()->deliver();
    }
  }
}

}  // namespace detail
}  // namespace harrier
