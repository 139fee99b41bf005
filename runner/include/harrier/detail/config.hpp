// SPDX-License-Identifier: Apache-2.0
// What the compilers make us spell differently, in one place.
#pragma once

#include <cstdint>

#if !defined(__linux__)
#error "harrier supports Linux only, for now"
#endif

#define HARRIER_EXPORT __attribute__((visibility("default")))
#define HARRIER_NOINLINE __attribute__((noinline))
// Also where the compiler expects no profit, such as on the paths of errors: a call there that takes the
// address of a variable would keep it in the coroutine's frame on all others.
#define HARRIER_INLINE [[gnu::always_inline]]

// Thread-locals are read through one function. clang before 19 keeps the address of a thread-local
// across a suspension when that function is inlined; g++ 12 and clang 19 do not.
#if defined(__clang__) && __clang_major__ < 19
#define HARRIER_READS_THREAD_LOCAL HARRIER_NOINLINE
// clang before 19 may also write to the frame after an inlined await_suspend published the handle.
#define HARRIER_PUBLISHES HARRIER_NOINLINE
#else
#define HARRIER_READS_THREAD_LOCAL
#define HARRIER_PUBLISHES
#endif

// A foreign frame that awaits by rvalue an owning callable is destroyed twice by g++ before 13.
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#define HARRIER_DESTROYS_AWAITED_TEMPORARIES_TWICE 1
#endif

// A class that is a pointer goes in a register, though it has a destructor: clang then keeps it out of
// the frames of coroutines that only pass it on. Other compilers pass its address, so that no function
// of a library's binary takes or gives one by value.
#if defined(__clang__)
#define HARRIER_IN_REGISTERS [[clang::trivial_abi]]
#else
#define HARRIER_IN_REGISTERS
#endif

#if defined(__SANITIZE_THREAD__)
#define HARRIER_THREAD_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HARRIER_THREAD_SANITIZED 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HARRIER_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HARRIER_SANITIZED 1
#endif
#endif

// What the doctor wants to know is stored while tasks run: where each coroutine awaits, and who holds a
// lock. 0: it is not, and reports do without. Fields stay.
#if !defined(HARRIER_DOCTOR)
#define HARRIER_DOCTOR 1
#endif

namespace harrier::detail {

inline constexpr bool doctor_is_on = HARRIER_DOCTOR != 0;

[[noreturn]] HARRIER_EXPORT void assertion_failed(const char* what, const char* file,
                                                  unsigned line) noexcept;

/// Ends the program with a message: a destructor or a noexcept path would have lost work.
[[noreturn]] HARRIER_EXPORT void fatal(const char* message) noexcept;

}  // namespace harrier::detail

// Switches remove checks, never fields: no macro changes the layout of a public type.
#if defined(HARRIER_ASSERTIONS) || !defined(NDEBUG)
#define HARRIER_ASSERT(condition) \
  (static_cast<bool>(condition)   \
       ? static_cast<void>(0)     \
       : ::harrier::detail::assertion_failed(#condition, __FILE__, __LINE__))
#else
#define HARRIER_ASSERT(condition) static_cast<void>(sizeof(!(condition)))
#endif
