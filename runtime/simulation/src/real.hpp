// SPDX-License-Identifier: Apache-2.0
// The C library's own functions, for threads that are not simulated and for the state behind ours.
#pragma once

#include <dlfcn.h>

namespace harrier::simulated {

/// What the name stands for without us. `version` for names that have had two meanings.
template <class Function>
void find_real(Function*& found, const char* name, const char* version = nullptr) noexcept {
  if (found == nullptr) {
    void* there = version != nullptr ? ::dlvsym(RTLD_NEXT, name, version) : nullptr;
    found = reinterpret_cast<Function*>(there != nullptr ? there : ::dlsym(RTLD_NEXT, name));
  }
}

// Condition variables have had two.
inline constexpr const char* condition_version = "GLIBC_2.3.2";

}  // namespace harrier::simulated

/// The C library's function of that name. A macro, because the type is that of the name.
#define HARRIER_REAL(name, ...)                                               \
  ([]() noexcept {                                                            \
    static auto* found = false ? &::name : nullptr;                           \
    ::harrier::simulated::find_real(found, #name __VA_OPT__(, ) __VA_ARGS__); \
    return found;                                                             \
  }())
