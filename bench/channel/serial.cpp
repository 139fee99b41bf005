// SPDX-License-Identifier: Apache-2.0
// channel as a queue that is filled and emptied in turn, on one thread.
#include "config.hpp"

#include <deque>

namespace bench::channel {
namespace {

const contender turns("channel_alone", "serial", {1}, [](std::size_t) {
  return measure([](std::uint64_t n) {
    std::deque<std::uint64_t> items;
    std::uint64_t sum = 0;
    for (std::uint64_t i = 0; i < n;) {
      for (; i < n && items.size() < capacity; ++i) items.push_back(i);
      for (; !items.empty(); items.pop_front()) sum += items.front();
    }
    return sum;
  });
});

}  // namespace
}  // namespace bench::channel
