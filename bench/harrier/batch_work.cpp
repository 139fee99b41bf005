// SPDX-License-Identifier: Apache-2.0
#include "batch_work.hpp"

#include <chrono>
#include <utility>

namespace harrier::cli {

namespace {

task<std::uint64_t> noop_item(std::uint64_t index) { co_return index; }

task<std::uint64_t> yield_item(std::uint64_t index) {
  co_await yield();
  co_return index;
}

task<std::uint64_t> sleep_item(std::uint64_t index) {
  co_await sleep_for(std::chrono::milliseconds(1 + index % 10));
  co_return index;
}

constexpr std::uint64_t multiplier = 6364136223846793005;

// Newton's iteration: each step doubles the number of correct low bits.
constexpr std::uint64_t inverse_modulo_2_64(std::uint64_t odd) {
  std::uint64_t inverse = odd;
  for (int step = 0; step < 6; ++step) inverse *= 2 - odd * inverse;
  return inverse;
}

static_assert(multiplier * inverse_modulo_2_64(multiplier) == 1);

// Steps a generator forward and the same number of steps back, so that the result is the index
// again: known in advance, yet every multiplication needs the one before.
std::uint64_t there_and_back(std::uint64_t value) {
  constexpr int steps = 100;
  constexpr std::uint64_t increment = 1442695040888963407;
  for (int step = 0; step < steps; ++step) value = value * multiplier + increment;
  for (int step = 0; step < steps; ++step) {
    value = (value - increment) * inverse_modulo_2_64(multiplier);
  }
  return value;
}

task<std::uint64_t> compute_item(std::uint64_t index) { co_return there_and_back(index); }

task<std::uint64_t> mixed_item(std::uint64_t index) {
  switch (index % 4) {
    case 0:
      return noop_item(index);
    case 1:
      return yield_item(index);
    case 2:
      return sleep_item(index);
    default:
      return compute_item(index);
  }
}

// Every so many-th item of `flaky` fails that often, and every thousandth always.
constexpr std::uint64_t fails_once = 10;
constexpr std::uint64_t fails_twice = 100;
constexpr std::uint64_t fails_always = 1000;

constexpr std::uint64_t fails_after(std::uint64_t retries) {
  if (retries == 0) return fails_once;
  return retries == 1 ? fails_twice : fails_always;
}

task<std::uint64_t> flaky_item(std::uint64_t index, std::uint32_t attempt) {
  if (index % fails_after(attempt - 1) == fails_after(attempt - 1) - 1) throw service_busy(index);
  co_return index;
}

task<std::uint64_t> item_of(work kind, std::uint64_t index, std::uint32_t attempt) {
  switch (kind) {
    case work::noop:
      return noop_item(index);
    case work::yield:
      return yield_item(index);
    case work::sleep:
      return sleep_item(index);
    case work::compute:
      return compute_item(index);
    case work::flaky:
      return flaky_item(index, attempt);
    case work::mixed:
      break;
  }
  return mixed_item(index);
}

task<void> add_result(task<std::uint64_t> item, std::atomic<std::uint64_t>* sum) {
  const auto result = co_await std::move(item);
  sum->fetch_add(result, std::memory_order_relaxed);  // counter only: read when the batch is done
}

}  // namespace

service_busy::service_busy(std::uint64_t index)
    : std::runtime_error("the service of coroutine " + std::to_string(index) + " is busy") {}

const std::vector<std::string>& work_names() {
  static const std::vector<std::string> names{"noop",    "yield", "sleep",
                                              "compute", "mixed", "flaky"};
  return names;
}

// Lambdas, not function pointers: each kind is a type of its own, which the compiler can inline.
batch<std::uint64_t> dispatch_work(runtime& rt, work kind, std::uint64_t count,
                                   dispatch_options options) {
  switch (kind) {
    case work::noop:
      return rt.dispatch(count, [](std::uint64_t i) { return noop_item(i); }, std::move(options));
    case work::yield:
      return rt.dispatch(count, [](std::uint64_t i) { return yield_item(i); }, std::move(options));
    case work::sleep:
      return rt.dispatch(count, [](std::uint64_t i) { return sleep_item(i); }, std::move(options));
    case work::compute:
      return rt.dispatch(
          count, [](std::uint64_t i) { return compute_item(i); }, std::move(options));
    case work::flaky:
      return rt.dispatch(
          count, [](std::uint64_t i, batch_item item) { return flaky_item(i, item.attempt); },
          std::move(options));
    case work::mixed:
      break;
  }
  return rt.dispatch(count, [](std::uint64_t i) { return mixed_item(i); }, std::move(options));
}

batch<void> dispatch_summed_work(runtime& rt, work kind, std::uint64_t count,
                                 dispatch_options options, std::atomic<std::uint64_t>& sum) {
  auto make = [kind, &sum](std::uint64_t i, batch_item item) {
    return add_result(item_of(kind, i, item.attempt), &sum);
  };
  return rt.dispatch(count, std::move(make), std::move(options));
}

std::uint64_t expected_checksum(std::uint64_t count) {
  return count % 2 == 0 ? count / 2 * (count - 1) : (count - 1) / 2 * count;
}

expected_failures::expected_failures(work kind, std::uint64_t of, std::uint64_t retries) noexcept {
  if (kind != work::flaky) return;
  const std::uint64_t every = fails_after(retries);
  count = of / every;
  sum = every * (expected_checksum(count) + count) - count;  // every * k - 1 for k from 1 to count
}

}  // namespace harrier::cli
