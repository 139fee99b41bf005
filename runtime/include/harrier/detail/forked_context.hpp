// SPDX-License-Identifier: Apache-2.0
// A forked child's context variables: what its parent had set at the fork. What the child sets is its
// own, whether it runs in its parent's task, when it is joined, or in one of its own, when it was
// stolen. So a fork comes out the same whoever runs it.
//
// Cost  none in a program without a context_var: such a child is forked as it is.
#pragma once

#include <harrier/detail/context_word.hpp>
#include <harrier/task.hpp>

#include <exception>
#include <type_traits>
#include <utility>

namespace harrier::detail {

template <class T>
task<T> in_own_context(task<T> child, context_word own) {
  std::swap(context_word::current(), own);  // `own` keeps the parent's meanwhile
  std::exception_ptr error;
  bool is_back = false;  // in the parent's context
  try {
    if constexpr (std::is_void_v<T>) {
      co_await child;
      std::swap(context_word::current(), own);
      is_back = true;
      co_return;
    } else if constexpr (std::is_reference_v<T>) {
      T result = co_await child;
      std::swap(context_word::current(), own);
      is_back = true;
      co_return result;
    } else {
      T result = co_await child;
      std::swap(context_word::current(), own);
      is_back = true;
      co_return std::move(result);
    }
  } catch (...) {  // rethrown below, in the parent's context
    error = std::current_exception();
  }
  if (!is_back) {  // else it was the move of the value that threw
    std::swap(context_word::current(), own);
  }
  std::rethrow_exception(error);
}

}  // namespace harrier::detail
