// SPDX-License-Identifier: Apache-2.0
// A result as something that can be kept: void and references have stand-ins.
#pragma once

#include <functional>
#include <type_traits>
#include <variant>

namespace harrier::detail {

template <class T>
using stored =
    std::conditional_t<std::is_void_v<T>, std::monostate,
                       std::conditional_t<std::is_reference_v<T>,
                                          std::reference_wrapper<std::remove_reference_t<T>>, T>>;

}  // namespace harrier::detail
