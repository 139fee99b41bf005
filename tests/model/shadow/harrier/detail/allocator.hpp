// SPDX-License-Identifier: Apache-2.0
// Stands in front of the shipped header of this name: memory that Relacy watches.
#pragma once

#include <memory>

namespace harrier::detail {

template <class T>
using allocator = ::std::allocator<T>;

}  // namespace harrier::detail
