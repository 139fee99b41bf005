// SPDX-License-Identifier: Apache-2.0
// Who runs next: virtual threads, of which one runs at a time, and a seed that decides everything.
//
// Threads     one thread of the system, the one in simulation::run(). Others that there may be in the
//             process run as always, and meet nothing of this.
// Protocol    a virtual thread runs until it waits (block), gives way (yield) or is preempted (at a
//             point, see coverage.cpp). The next one is drawn among those that can go on. If there is
//             none, the time jumps to the first deadline; if there is no deadline either, nothing
//             is left to run.
// Time        moves a little with each look at a clock and each switch, by the seed.
#pragma once

#include <harrier/diagnosis.hpp>

#include "fiber.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

namespace harrier::simulated {

using nanoseconds = std::int64_t;
inline constexpr nanoseconds never = std::numeric_limits<nanoseconds>::max();

/// splitmix64.
class random_numbers {
 public:
  explicit random_numbers(std::uint64_t seed) noexcept : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  std::size_t below(std::size_t limit) noexcept { return next() % limit; }
  bool one_in(std::size_t times) noexcept { return below(times) == 0; }

 private:
  std::uint64_t state_;
};

struct virtual_thread {
  virtual_thread(std::size_t number_, stack_memory stack, void (*entry)()) noexcept;

  const std::size_t number;
  std::array<char, 16> name{};
  harrier::simulated::fiber fiber;
  std::function<void*()> body;
  void* result = nullptr;

  enum class status : std::uint8_t { ready, blocked, ended };
  status state = status::ready;
  bool detached = false;
  bool joined = false;
  // while blocked
  const char* call = "";
  const void* address = nullptr;
  nanoseconds deadline = never;
  bool timed_out = false;

  std::vector<const void*> held;  ///< its mutexes
};

enum class outcome : std::uint8_t { ended, deadlock, livelock };

class scheduler {
 public:
  scheduler(std::uint64_t seed, std::size_t most_preemptions);
  ~scheduler();
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  /// Runs `body` as the first virtual thread, until all have ended or none can go on.
  outcome run(std::function<void()> body);
  /// Who waits for what.
  std::string report(outcome how);
  std::exception_ptr error() const noexcept { return error_; }

  /// The thread that runs; null outside run() and while the scheduler itself is at work.
  static virtual_thread* current() noexcept;
  static scheduler& instance() noexcept;

  // For the virtual thread that runs, which is not interrupted meanwhile. Some switch to others.
  virtual_thread& running() noexcept { return *running_; }
  virtual_thread& create(std::function<void*()> body);
  /// False: the deadline came first.
  bool block(const char* call, const void* address, nanoseconds deadline);
  void yield();
  void preempt(const void* where);
  /// Whether to preempt at a place of this kind: `where` is picked by the seed, or not.
  bool picks(const void* where);
  /// Makes up to `count` of those that are blocked at `address` ready. How many it were.
  std::size_t wake(const void* address, std::size_t count);
  /// A look at the clock.
  nanoseconds now() noexcept;
  random_numbers& random() noexcept { return random_; }
  virtual_thread* find(const void* thread) noexcept;
  virtual_thread* holder(const void* mutex) noexcept;

  std::uint64_t trace() const noexcept { return trace_; }
  std::size_t switches() const noexcept { return switches_; }
  const std::vector<const void*>& preemptions() const noexcept { return preemptions_; }

 private:
  static void thread_entry();
  void main_entry();
  void switch_away();
  virtual_thread* draw();
  void go_to(virtual_thread* next);
  void expire(nanoseconds until);
  nanoseconds first_deadline() const noexcept;
  void note(std::uint64_t value) noexcept;
  void recycle() noexcept;
  diagnosis examine_loops();

  random_numbers random_;
  const std::uint64_t place_key_;
  std::uint64_t place_mask_;
  std::size_t most_preemptions_;
  nanoseconds now_;
  std::uint64_t trace_ = 0xcbf29ce484222325u;
  std::size_t switches_ = 0;
  std::size_t lone_yields_ = 0;
  std::uint64_t points_ = 0;
  std::uint64_t slice_began_ = 0;
  std::vector<const void*> preemptions_;
  std::vector<std::unique_ptr<virtual_thread>> threads_;
  std::vector<virtual_thread*> ready_;
  std::size_t made_ = 0;
  virtual_thread* running_ = nullptr;
  fiber outside_;
  outcome outcome_ = outcome::ended;
  std::exception_ptr error_;
};

/// While one lives, the running virtual thread is not preempted: in the seams, and where threads would
/// each use memory of their own. The functions of the scheduler are called under one.
class uninterrupted {
 public:
  uninterrupted() noexcept;
  ~uninterrupted();
  uninterrupted(const uninterrupted&) = delete;
  uninterrupted& operator=(const uninterrupted&) = delete;

  /// Who called; null: nobody who is simulated.
  virtual_thread* thread() const noexcept { return self_; }

 private:
  virtual_thread* self_;
};

/// Lets it be preempted once more, below a seam.
class interruptible {
 public:
  explicit interruptible(const uninterrupted& within) noexcept;
  ~interruptible();
  interruptible(const interruptible&) = delete;
  interruptible& operator=(const interruptible&) = delete;
};

}  // namespace harrier::simulated
