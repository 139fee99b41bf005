// SPDX-License-Identifier: Apache-2.0
// The seam of mutexes and condition variables. The C library's mutex keeps its state, so that code
// outside a simulation finds what it expects; who waits is known to the scheduler alone.
#include <harrier/detail/config.hpp>

#include "real.hpp"
#include "seam_clock.hpp"

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <ctime>

using harrier::simulated::as_nanoseconds;
using harrier::simulated::condition_version;
using harrier::simulated::nanoseconds;
using harrier::simulated::never;
using harrier::simulated::preempt_caller;
using harrier::simulated::scheduler;
using harrier::simulated::uninterrupted;
using harrier::simulated::virtual_thread;

namespace {

int lock_until(pthread_mutex_t* mutex, nanoseconds deadline) {
  scheduler& at = scheduler::instance();
  virtual_thread& self = scheduler::instance().running();
  for (;;) {
    const virtual_thread* holder =
        at.holder(mutex);  // a recursive one is held by the system's thread
    const int failed =
        holder == nullptr || holder == &self ? HARRIER_REAL(pthread_mutex_trylock)(mutex) : EBUSY;
    if (failed != EBUSY) {
      if (failed == 0 || failed == EOWNERDEAD) {
        self.held.push_back(mutex);
      }
      return failed;
    }
    if (!at.block("mutex lock", mutex, deadline)) {
      return ETIMEDOUT;
    }
  }
}

int unlock(pthread_mutex_t* mutex) {
  virtual_thread& self = scheduler::instance().running();
  for (auto each = self.held.begin(); each != self.held.end(); ++each) {
    if (*each == mutex) {
      self.held.erase(each);
      break;
    }
  }
  const int failed = HARRIER_REAL(pthread_mutex_unlock)(mutex);
  scheduler::instance().wake(mutex, 1);
  return failed;
}

int wait(pthread_cond_t* condition, pthread_mutex_t* mutex, nanoseconds deadline) {
  scheduler& at = scheduler::instance();
  unlock(mutex);
  const bool spurious = at.random().one_in(32);
  bool in_time = true;
  if (spurious) {
    at.yield();
  } else {
    in_time = at.block("condition variable wait", condition, deadline);
  }
  lock_until(mutex, never);
  return in_time ? 0 : ETIMEDOUT;
}

}  // namespace

extern "C" {

HARRIER_EXPORT int pthread_mutex_lock(pthread_mutex_t* mutex) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_mutex_lock)(mutex);
  }
  preempt_caller(__builtin_return_address(0));
  return lock_until(mutex, never);
}

HARRIER_EXPORT int pthread_mutex_trylock(pthread_mutex_t* mutex) noexcept {
  const uninterrupted seam;
  virtual_thread* const self = seam.thread();
  if (self == nullptr) {
    return HARRIER_REAL(pthread_mutex_trylock)(mutex);
  }
  const virtual_thread* holder = scheduler::instance().holder(mutex);
  if (holder != nullptr && holder != self) {
    return EBUSY;
  }
  const int failed = HARRIER_REAL(pthread_mutex_trylock)(mutex);
  if (failed == 0) {
    self->held.push_back(mutex);
  }
  return failed;
}

HARRIER_EXPORT int pthread_mutex_timedlock(pthread_mutex_t* mutex, const timespec* until) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_mutex_timedlock)(mutex, until);
  }
  return lock_until(mutex, as_nanoseconds(CLOCK_REALTIME, *until));
}

HARRIER_EXPORT int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                           const timespec* until) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_mutex_clocklock)(mutex, clock, until);
  }
  return lock_until(mutex, as_nanoseconds(clock, *until));
}

HARRIER_EXPORT int pthread_mutex_unlock(pthread_mutex_t* mutex) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_mutex_unlock)(mutex);
  }
  const int failed = unlock(mutex);
  preempt_caller(__builtin_return_address(0));
  return failed;
}

HARRIER_EXPORT int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex) {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_cond_wait, condition_version)(condition, mutex);
  }
  return wait(condition, mutex, never);
}

HARRIER_EXPORT int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                          const timespec* until) {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_cond_timedwait, condition_version)(condition, mutex, until);
  }
  return wait(condition, mutex, as_nanoseconds(CLOCK_REALTIME, *until));
}

HARRIER_EXPORT int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex,
                                          clockid_t clock, const timespec* until) {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_cond_clockwait)(condition, mutex, clock, until);
  }
  return wait(condition, mutex, as_nanoseconds(clock, *until));
}

HARRIER_EXPORT int pthread_cond_signal(pthread_cond_t* condition) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_cond_signal, condition_version)(condition);
  }
  scheduler::instance().wake(condition, 1);
  return 0;
}

HARRIER_EXPORT int pthread_cond_broadcast(pthread_cond_t* condition) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_cond_broadcast, condition_version)(condition);
  }
  scheduler::instance().wake(condition, SIZE_MAX);
  return 0;
}

// std::shared_mutex
HARRIER_EXPORT int pthread_rwlock_rdlock(pthread_rwlock_t* lock) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_rwlock_rdlock)(lock);
  }
  preempt_caller(__builtin_return_address(0));
  for (;;) {
    const int failed = HARRIER_REAL(pthread_rwlock_tryrdlock)(lock);
    if (failed != EBUSY) {
      return failed;
    }
    scheduler::instance().block("shared mutex lock_shared", lock, never);
  }
}

HARRIER_EXPORT int pthread_rwlock_wrlock(pthread_rwlock_t* lock) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_rwlock_wrlock)(lock);
  }
  preempt_caller(__builtin_return_address(0));
  for (;;) {
    const int failed = HARRIER_REAL(pthread_rwlock_trywrlock)(lock);
    if (failed != EBUSY) {
      return failed;
    }
    scheduler::instance().block("shared mutex lock", lock, never);
  }
}

HARRIER_EXPORT int pthread_rwlock_unlock(pthread_rwlock_t* lock) noexcept {
  const uninterrupted seam;
  const int failed = HARRIER_REAL(pthread_rwlock_unlock)(lock);
  if (seam.thread()) {
    scheduler::instance().wake(lock, SIZE_MAX);
    preempt_caller(__builtin_return_address(0));
  }
  return failed;
}

}  // extern "C"
