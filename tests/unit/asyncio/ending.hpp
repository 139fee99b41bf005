// SPDX-License-Identifier: Apache-2.0
// How a task ended, for the ported cases: asked without an exception.
#pragma once

#include "case.hpp"

#include <string>

namespace harrier::test {

/// "value", "cancelled", "timed out", "group", or what the error says.
template <class Awaitable>
task<std::string> ending_of(Awaitable& work) {
  std::string how = "value";
  try {
    co_await work;
  } catch (const cancelled&) {
    how = "cancelled";
  } catch (const timed_out&) {
    how = "timed out";
  } catch (const exception_group&) {
    how = "group";
  } catch (const std::exception& error) {
    how = error.what();
  }
  co_return how;
}

/// The texts of the errors in the group that `work` throws, sorted by nothing: in their order.
template <class Awaitable>
task<std::string> group_of(Awaitable& work) {
  std::string texts = "none";
  try {
    co_await work;
  } catch (const exception_group& group) {
    texts.clear();
    for (const std::exception_ptr& each : group.errors()) {
      texts += texts.empty() ? "" : ",";
      texts += holds<exception_group>(each) ? "group" : text_of(each);
    }
  }
  co_return texts;
}

inline task<> throws_after(duration delay, std::string text) {
  co_await sleep_for(delay);
  throw boom(text);
}

inline task<> throws_now(std::string text) {
  throw boom(text);
  co_return;
}

}  // namespace harrier::test
