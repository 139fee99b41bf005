// SPDX-License-Identifier: Apache-2.0
#include <harrier/when_all.hpp>

namespace harrier::detail {

namespace {

task<> await_all(std::vector<task<>> work) {
  std::vector<kept_value<void>> rooms(work.size());
  auto all = run_all_of(&rooms, std::move(work));
  co_await all;
}

}  // namespace

std::coroutine_handle<task_promise<void>> when_all_of(std::vector<task<>>& work) {
  task<> all = await_all(std::move(work));
  return task_access::release(all);
}

}  // namespace harrier::detail
