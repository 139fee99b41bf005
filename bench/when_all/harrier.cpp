// SPDX-License-Identifier: Apache-2.0
// when_all as harrier's: ten arguments on a worker (harrier), a vector of ten on a worker
// (harrier_range), and ten arguments on a lone runner (harrier_alone), where each is a task of its own.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <memory>
#include <tuple>
#include <vector>

namespace bench::when_all {
namespace {

harrier::task<std::uint64_t> one() { co_return 1; }

harrier::task<std::uint64_t> join_arguments(std::uint64_t times) {
  std::uint64_t sum = 0;
  for (; times > 0; --times) {
    auto all =
        harrier::when_all(one(), one(), one(), one(), one(), one(), one(), one(), one(), one());
    const auto values = co_await all;
    sum += std::apply([](auto... each) { return (each + ...); }, values);
  }
  co_return sum;
}

harrier::task<std::uint64_t> join_range(std::uint64_t times) {
  std::uint64_t sum = 0;
  for (; times > 0; --times) {
    std::vector<harrier::task<std::uint64_t>> work;
    work.reserve(width);
    for (std::uint64_t i = 0; i < width; ++i) work.push_back(one());
    auto all = harrier::when_all(std::move(work));
    const auto values = co_await all;
    for (const std::uint64_t each : values) sum += each;
  }
  co_return sum;
}

template <auto join>
measurement on_workers(std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure([runtime](std::uint64_t n) { return runtime->run(join(n)); });
}

measurement alone(std::size_t) {
  auto runner = std::make_shared<harrier::runner>();
  return measure([runner](std::uint64_t n) { return runner->run(join_arguments(n)); });
}

const contender arguments("when_all", "harrier", worker_counts(), on_workers<join_arguments>);
const contender range("when_all", "harrier_range", worker_counts(), on_workers<join_range>);
const contender on_runner("when_all", "harrier_alone", {1}, alone);

}  // namespace
}  // namespace bench::when_all
