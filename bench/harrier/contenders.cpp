// SPDX-License-Identifier: Apache-2.0
#include "contenders.hpp"

#include <harrier/runner.hpp>
#include <harrier/runtime.hpp>

#include "batch_work.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <numeric>
#include <stdexcept>
#include <system_error>

namespace harrier::cli {

namespace {

task<std::uint64_t> answer(std::uint64_t index) { co_return index; }

void require_sum(std::uint64_t sum, std::uint64_t coroutines) {
  if (sum != expected_checksum(coroutines)) throw std::runtime_error("wrong sum of results");
}

runner_options counting(std::uint64_t& loops) {
  runner_options options;
  options.on_loop_created = [&loops] { ++loops; };
  return options;
}

// What harrier::run() does, in a form that can count its loop.
std::uint64_t run_once(std::uint64_t index, std::uint64_t& loops) {
  runner once(counting(loops));
  return once.run(answer(index));
}

std::uint64_t loop_per_coroutine(std::uint64_t coroutines) {
  std::uint64_t loops = 0;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < coroutines; ++i) sum += run_once(i, loops);
  require_sum(sum, coroutines);
  return loops;
}

// What other event loops create before they run anything: an epoll set with an event descriptor in
// it, by which other threads wake the loop.
class eager_poller {
 public:
  eager_poller() : poll_(::epoll_create1(EPOLL_CLOEXEC)), wake_(::eventfd(0, EFD_CLOEXEC)) {
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    const bool failed =
        poll_ < 0 || wake_ < 0 || ::epoll_ctl(poll_, EPOLL_CTL_ADD, wake_, &wanted) != 0;
    if (failed)
      throw std::system_error(errno, std::generic_category(), "epoll_create1 and eventfd");
  }
  eager_poller(const eager_poller&) = delete;
  eager_poller& operator=(const eager_poller&) = delete;
  ~eager_poller() {
    ::close(wake_);
    ::close(poll_);
  }

 private:
  int poll_;
  int wake_;
};

std::uint64_t loop_per_coroutine_with_poller(std::uint64_t coroutines) {
  std::uint64_t loops = 0;
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < coroutines; ++i) {
    const eager_poller poller;
    sum += run_once(i, loops);
  }
  require_sum(sum, coroutines);
  return loops;
}

task<std::uint64_t> wrapper(std::uint64_t coroutines) {
  std::uint64_t sum = 0;
  for (std::uint64_t i = 0; i < coroutines; ++i) {
    auto child = answer(i);
    sum += co_await child;
  }
  co_return sum;
}

std::uint64_t wrapper_coroutine(std::uint64_t coroutines) {
  std::uint64_t loops = 0;
  runner once(counting(loops));
  require_sum(once.run(wrapper(coroutines)), coroutines);
  return loops;
}

std::uint64_t one_runner(std::uint64_t coroutines) {
  std::uint64_t loops = 0;
  std::uint64_t sum = 0;
  runner all(counting(loops));
  for (std::uint64_t i = 0; i < coroutines; ++i) sum += all.run(answer(i));
  require_sum(sum, coroutines);
  return loops;
}

// Starting and joining the threads is part of the cost.
std::uint64_t one_batch(std::uint64_t coroutines, std::size_t workers) {
  runtime rt(workers);
  auto items = rt.dispatch(coroutines, [](std::uint64_t i) { return answer(i); });
  const auto results = items.get();
  require_sum(std::accumulate(results.begin(), results.end(), std::uint64_t{0}), coroutines);
  return rt.metrics().loops_created;
}

}  // namespace

std::vector<contender> all_contenders(std::size_t workers) {
  std::vector<contender> all;
  all.emplace_back("loop_per_coroutine", loop_per_coroutine);
  all.emplace_back("loop_per_coroutine_with_poller", loop_per_coroutine_with_poller);
  all.emplace_back("wrapper_coroutine", wrapper_coroutine);
  all.emplace_back("runner", one_runner);
  all.emplace_back("batch", [workers](std::uint64_t n) { return one_batch(n, workers); });
  return all;
}

}  // namespace harrier::cli
