// SPDX-License-Identifier: Apache-2.0
// g++ 12 destroys the temporaries of an expression with co_await twice, so an offload operation
// that owns something is awaited by name there; the message says how.
// ONLY: g++ 12
// EXPECT: Two_statement_form_needed
#include <harrier/runtime.hpp>

#include <memory>
#include <utility>

harrier::task<int> caller(std::shared_ptr<int> value) {
  auto work = [value] { return *value; };
#ifdef CORRECT
  auto op = harrier::offload(std::move(work));
  auto result = co_await op;
#else
  auto result = co_await harrier::offload(std::move(work));
#endif
  co_return result;
}
