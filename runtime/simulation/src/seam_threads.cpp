// SPDX-License-Identifier: Apache-2.0
// The seam of threads: made, joined and named by the scheduler.
#include <harrier/detail/config.hpp>

#include "real.hpp"
#include "scheduler.hpp"

#include <pthread.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

using harrier::simulated::interruptible;
using harrier::simulated::never;
using harrier::simulated::scheduler;
using harrier::simulated::uninterrupted;
using harrier::simulated::virtual_thread;

namespace {

/// The virtual thread of that id; null: a thread of the system.
virtual_thread* virtual_thread_of(pthread_t id) noexcept {
  return scheduler::instance().find(reinterpret_cast<const void*>(id));
}

}  // namespace

extern "C" {

HARRIER_EXPORT int pthread_create(pthread_t* id, const pthread_attr_t* attributes,
                                  void* (*routine)(void*), void* argument) noexcept {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_create)(id, attributes, routine, argument);
  }
  scheduler& at = scheduler::instance();
  *id = reinterpret_cast<pthread_t>(&at.create([=] { return routine(argument); }));
  return 0;
}

HARRIER_EXPORT int pthread_join(pthread_t id, void** result) {
  const uninterrupted seam;
  virtual_thread* const thread = seam.thread() ? virtual_thread_of(id) : nullptr;
  if (thread == nullptr) {
    return HARRIER_REAL(pthread_join)(id, result);
  }
  while (thread->state != virtual_thread::status::ended) {
    scheduler::instance().block("join", thread, never);
  }
  if (result != nullptr) {
    *result = thread->result;
  }
  thread->joined = true;
  return 0;
}

HARRIER_EXPORT int pthread_detach(pthread_t id) noexcept {
  const uninterrupted seam;
  virtual_thread* const thread = seam.thread() ? virtual_thread_of(id) : nullptr;
  if (thread == nullptr) {
    return HARRIER_REAL(pthread_detach)(id);
  }
  thread->detached = true;
  return 0;
}

HARRIER_EXPORT pthread_t pthread_self() noexcept {
  virtual_thread* const self = scheduler::current();
  return reinterpret_cast<pthread_t>(self != nullptr ? static_cast<void*>(self)
                                                     : __builtin_thread_pointer());
}

HARRIER_EXPORT int pthread_setname_np(pthread_t id, const char* name) noexcept {
  const uninterrupted seam;
  virtual_thread* const thread = seam.thread() ? virtual_thread_of(id) : nullptr;
  if (thread == nullptr) {
    return HARRIER_REAL(pthread_setname_np)(id, name);
  }
  if (std::strlen(name) >= thread->name.size()) {
    return ERANGE;
  }
  std::strcpy(thread->name.data(), name);
  return 0;
}

HARRIER_EXPORT int pthread_getname_np(pthread_t id, char* name, std::size_t bytes) noexcept {
  const uninterrupted seam;
  virtual_thread* const thread = seam.thread() ? virtual_thread_of(id) : nullptr;
  if (thread == nullptr) {
    return HARRIER_REAL(pthread_getname_np)(id, name, bytes);
  }
  if (bytes < thread->name.size()) {
    return ERANGE;
  }
  std::strcpy(name, thread->name.data());
  return 0;
}

HARRIER_EXPORT int pthread_once(pthread_once_t* once, void (*routine)()) {
  const uninterrupted seam;
  if (!seam.thread()) {
    return HARRIER_REAL(pthread_once)(once, routine);
  }
  // The C library's states, so that a call outside a simulation agrees: 2 is done. 1 is ours.
  while (*once != 2) {
    if (*once == 1) {
      scheduler::instance().block("call_once", once, never);
      continue;
    }
    *once = 1;
    try {
      const interruptible again(seam);
      routine();
    } catch (...) {  // the next one tries again
      *once = 0;
      scheduler::instance().wake(once, SIZE_MAX);
      throw;
    }
    *once = 2;
    scheduler::instance().wake(once, SIZE_MAX);
  }
  return 0;
}

}  // extern "C"
