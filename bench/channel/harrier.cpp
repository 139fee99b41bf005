// SPDX-License-Identifier: Apache-2.0
// channel as harrier's: the one for all loops, and on a lone runner the one for one loop as well
// (harrier_local). Senders and receivers are dealt out to the workers in turn.
#include <harrier/runtime.hpp>
#include <harrier/sync/channel.hpp>

#include "config.hpp"

#include <memory>
#include <vector>

namespace bench::channel {
namespace {

template <class Channel>
harrier::task<> send_all(Channel& to, share part) {
  for (std::uint64_t i = part.first; i != part.last; ++i) co_await to.send(i);
}

template <class Channel>
harrier::task<std::uint64_t> receive_all(Channel& from) {
  std::uint64_t sum = 0;
  while (auto item = co_await from.receive()) sum += *item;
  co_return sum;
}

template <class Channel>
harrier::task<std::uint64_t> pair(std::uint64_t n) {
  Channel items(capacity);
  auto receiver = harrier::spawn(receive_all(items));
  auto sender = harrier::spawn(send_all(items, share(n, 0, 1)));
  co_await sender;
  items.close();
  co_return co_await receiver;
}

template <class Channel>
measurement alone(std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(pair<Channel>(n)); });
}

template <std::uint64_t sides>
measurement in_runtime(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime, workers](std::uint64_t n) {
    harrier::channel<std::uint64_t> items(capacity);
    std::vector<harrier::join_handle<std::uint64_t>> receivers;
    std::vector<harrier::join_handle<void>> senders;
    for (std::uint64_t i = 0; i < sides; ++i) {
      receivers.push_back(runtime->spawn_on((i + 1) % workers, receive_all(items)));
      senders.push_back(runtime->spawn_on(i % workers, send_all(items, share(n, i, sides))));
    }
    for (auto& each : senders) each.wait();
    items.close();
    std::uint64_t sum = 0;
    for (auto& each : receivers) sum += each.get();
    return sum;
  });
}

const contender alone_across("channel_alone", "harrier", {1},
                             alone<harrier::channel<std::uint64_t>>);
const contender alone_local("channel_alone", "harrier_local", {1},
                            alone<harrier::local_channel<std::uint64_t>>);
const contender one_each("channel", "harrier", worker_counts(), in_runtime<1>);
const contender four_each("channel_crowd", "harrier", worker_counts(), in_runtime<4>);

}  // namespace
}  // namespace bench::channel
