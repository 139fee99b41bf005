// SPDX-License-Identifier: Apache-2.0
// The same as await_offload_temporary.cpp for a parallel algorithm whose body owns something.
// ONLY: g++ 12
// EXPECT: Two_statement_form_needed
#include <harrier/parallel.hpp>

#include <memory>
#include <utility>

harrier::task<> caller(std::shared_ptr<int> value) {
  auto body = [value](int i) { (void)(*value + i); };
#ifdef CORRECT
  auto op = harrier::parallel_for(0, 10, std::move(body));
  co_await op;
#else
  co_await harrier::parallel_for(0, 10, std::move(body));
#endif
}
