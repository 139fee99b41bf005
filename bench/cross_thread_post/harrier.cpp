// SPDX-License-Identifier: Apache-2.0
// cross_thread_post as event_loop::post to a runner on a thread of its own.
// harrier_runtime (post_latency only): a coroutine spawned on a runtime of one parked worker.
#include <harrier/runtime.hpp>

#include "config.hpp"

#include <future>

namespace bench::cross_thread_post {
namespace {

using namespace std::chrono_literals;

harrier::task<> wait_for_posts() { co_await harrier::sleep_for(24h); }

/// A runner on a thread of its own, whose loop runs until this object is destroyed.
class runner_thread {
 public:
  runner_thread() : thread_([this] { serve(); }) { loop_ = started_.get_future().get(); }
  ~runner_thread() {
    loop_->post([loop = loop_] { loop->stop(); });
    thread_.join();
  }
  void post(std::function<void()> function) { loop_->post(std::move(function)); }

 private:
  void serve() {
    harrier::runner runner;
    started_.set_value(&runner.loop());
    try {
      runner.run(wait_for_posts());
    } catch (const harrier::loop_stopped&) {
      // what the destructor asked for
    }
  }

  std::promise<harrier::event_loop*> started_;
  harrier::event_loop* loop_ = nullptr;
  std::thread thread_;
};

auto make_post() {
  auto thread = std::make_shared<runner_thread>();
  return [thread](std::uint64_t i, sink& to) { thread->post([i, &to] { to.take(i); }); };
}

const contender throughput("cross_thread_post", "harrier", {1},
                           [](std::size_t) { return measure(make_post()); });
const contender latency("post_latency", "harrier", {1},
                        [](std::size_t) { return measure_latency(make_post()); });

// The sink outlives every task: the round waits for it.
harrier::task<> deliver(std::uint64_t i, sink& to) {
  to.take(i);
  co_return;
}

const contender to_runtime("post_latency", "harrier_runtime", {1}, [](std::size_t workers) {
  auto runtime = std::make_shared<harrier::runtime>(workers);
  return measure_latency(
      [runtime](std::uint64_t i, sink& to) { runtime->spawn(deliver(i, to)).detach(); });
});

}  // namespace
}  // namespace bench::cross_thread_post
