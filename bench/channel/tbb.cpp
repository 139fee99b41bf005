// SPDX-License-Identifier: Apache-2.0
// channel as oneTBB's bounded queue, between threads that block.
#include "config.hpp"

#include <tbb/concurrent_queue.h>

#include <atomic>
#include <thread>
#include <vector>

namespace bench::channel {
namespace {

constexpr std::uint64_t end = ~std::uint64_t{0};

template <std::uint64_t sides>
measurement prepare(std::size_t) {
  return measure([](std::uint64_t n) {
    tbb::concurrent_bounded_queue<std::uint64_t> items;
    items.set_capacity(capacity);
    std::atomic<std::uint64_t> sum{0};
    std::vector<std::thread> senders;
    std::vector<std::thread> receivers;
    for (std::uint64_t i = 0; i < sides; ++i) {
      receivers.emplace_back([&] {
        std::uint64_t mine = 0;
        std::uint64_t item = 0;
        for (items.pop(item); item != end; items.pop(item)) mine += item;
        sum += mine;
      });
      senders.emplace_back([&, part = share(n, i, sides)] {
        for (std::uint64_t item = part.first; item != part.last; ++item) items.push(item);
      });
    }
    for (std::thread& each : senders) each.join();
    for (std::uint64_t i = 0; i < sides; ++i) items.push(end);
    for (std::thread& each : receivers) each.join();
    return sum.load();
  });
}

const contender one_each("channel", "tbb", {2}, prepare<1>);
const contender four_each("channel_crowd", "tbb", {8}, prepare<4>);

}  // namespace
}  // namespace bench::channel
