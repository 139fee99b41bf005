// SPDX-License-Identifier: Apache-2.0
// Workers that block their threads, and those that take their place.
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace harrier::test {
namespace {

constexpr std::size_t workers = 2;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// How often the handler was told something with that in it.
std::size_t told(error_log& log, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < log.size(); ++i) count += contains(log.at(i).message, part) ? 1u : 0u;
  return count;
}

void wait_until(const std::function<bool()>& is_so) {
  while (!is_so()) std::this_thread::sleep_for(1ms);
}

/// What is blocked on: opened once, by whoever comes to it.
class gate {
 public:
  void open() {
    if (!was_opened_.exchange(true)) opened_.set_value();
  }
  task<> pass() {
    passing.add();
    // The thread, not the task; and not for ever, so that a test that fails ends.
    if (seen_.wait_for(1min) != std::future_status::ready) ADD_FAILURE() << "nobody opened it";
    co_return;
  }
  task<> open_from_a_task() {
    open();
    co_return;
  }
  tally passing;

 private:
  std::promise<void> opened_;
  std::shared_future<void> seen_ = opened_.get_future().share();
  std::atomic<bool> was_opened_{false};
};

runtime_options with_spares(std::size_t spares, error_log& log) {
  runtime_options options;
  options.workers = workers;
  options.provider = thread_provider::own_threads;
  options.stalled_after = 20ms;
  options.spare_workers = spares;
  options.exception_handler = std::ref(log);
  return options;
}

/// Every worker of `rt`, and no other, blocks at the gate. Before anything else is handed in.
std::vector<join_handle<void>> block_all(runtime& rt, gate& at) {
  std::vector<join_handle<void>> blocked;
  for (std::size_t w = 0; w < rt.workers(); ++w) {
    blocked.push_back(rt.spawn_on(w, at.pass(), "blocks " + std::to_string(w)));
  }
  at.passing.wait_for(static_cast<long>(rt.workers()));
  return blocked;
}

void get_all(std::vector<join_handle<void>>& handles) {
  for (auto& each : handles) each.get();
}

TEST(spare_workers, run_what_would_release_all_workers) {
  error_log log;
  gate shut;
  runtime rt(with_spares(1, log));
  auto blocked = block_all(rt, shut);
  auto opens = rt.spawn(shut.open_from_a_task());
  opens.get();
  get_all(blocked);
  EXPECT_EQ(rt.metrics().spare_workers_started, 1u);
  EXPECT_EQ(rt.metrics().threads_started, workers);
  EXPECT_EQ(rt.workers(), workers);
}

TEST(spare_workers, without_them_it_stays_where_it_is) {
  error_log log;
  gate shut;
  runtime rt(with_spares(0, log));
  auto blocked = block_all(rt, shut);
  auto opens = rt.spawn(shut.open_from_a_task());
  EXPECT_FALSE(opens.wait_for(200ms));
  shut.open();
  opens.get();
  get_all(blocked);
  EXPECT_EQ(rt.metrics().spare_workers_started, 0u);
}

TEST(spare_workers, are_told_of_with_the_names_of_those_who_block) {
  error_log log;
  gate shut;
  runtime rt(with_spares(2, log));
  auto blocked = block_all(rt, shut);
  wait_until([&] { return told(log, "spare worker 1 of 2 started") == 1; });
  shut.open();
  get_all(blocked);
  EXPECT_GE(told(log, "worker 0 has been in one step for "), 1u);
  EXPECT_GE(told(log, "worker 1 has been in one step for "), 1u);
  std::string message;
  for (std::size_t i = 0; i < log.size(); ++i) {
    if (contains(log.at(i).message, "spare worker 1 of 2")) message = log.at(i).message;
  }
  EXPECT_TRUE(contains(message, "every worker is in a step that blocks (worker 0: ")) << message;
  if (HARRIER_TEST_SANITIZED == 0) {  // they put off signals
    EXPECT_TRUE(contains(message, "(worker 0: blocks 0, worker 1: blocks 1)")) << message;
  }
}

TEST(spare_workers, do_not_come_while_a_worker_is_free) {
  error_log log;
  gate shut;
  runtime_options options = with_spares(2, log);
  options.stalled_after = 200ms;  // longer than a busy machine keeps a thread waiting
  runtime rt(options);
  auto blocked = rt.spawn_on(1, shut.pass(), "blocks");
  wait_until([&] { return told(log, "worker 1 has been in one step") == 1; });
  EXPECT_EQ(rt.run(give(1)), 1);
  std::this_thread::sleep_for(200ms);
  shut.open();
  blocked.get();
  EXPECT_EQ(rt.metrics().spare_workers_started, 0u);
}

TEST(spare_workers, are_not_more_than_were_allowed) {
  error_log log;
  gate shut;
  runtime rt(with_spares(2, log));
  auto blocked = block_all(rt, shut);
  for (int i = 0; i < 4; ++i) blocked.push_back(rt.spawn(shut.pass(), "more"));
  shut.passing.wait_for(static_cast<long>(workers + 2));
  wait_until([&] { return told(log, "no more spare workers may be started") == 1; });
  auto opens = rt.spawn(shut.open_from_a_task());
  EXPECT_FALSE(opens.wait_for(200ms));
  EXPECT_EQ(rt.metrics().spare_workers_started, 2u);
  EXPECT_EQ(told(log, "no more spare workers may be started"), 1u) << "once while that lasts";
  EXPECT_EQ(told(log, "worker 3: "), 1u) << "of the spare ones, too, it is told who blocks";
  shut.open();
  opens.get();
  get_all(blocked);
}

TEST(spare_workers, take_batch_items_and_keep_timers_meanwhile) {
  error_log log;
  gate shut;
  runtime rt(with_spares(1, log));
  auto blocked = block_all(rt, shut);
  std::mutex mutex;
  std::set<std::size_t> ran_on;
  auto note = [&] {
    const std::scoped_lock lock(mutex);
    ran_on.insert(this_worker::id().value());
  };
  auto item = [&](std::uint64_t i) -> task<std::uint64_t> {
    note();
    co_await sleep_for(1ms);
    co_return i;
  };
  auto op = rt.dispatch(1000, item);
  EXPECT_EQ(op.get()[999], 999u);
  auto by_key =
      rt.dispatch(100, item, dispatch_options().by_key([](std::uint64_t i) { return i; }));
  EXPECT_EQ(by_key.get()[99], 99u);
  auto dealt = rt.dispatch(100, item, dispatch_options().round_robin());
  EXPECT_EQ(dealt.get()[99], 99u);
  EXPECT_EQ(ran_on, std::set<std::size_t>{workers}) << "the spare one";
  shut.open();
  get_all(blocked);
}

TEST(spare_workers, take_what_a_worker_had_queued_before_it_blocked) {
  error_log log;
  gate shut;
  runtime_options options = with_spares(1, log);
  options.workers = 1;
  runtime rt(options);
  tally ran;
  auto count = [&]() -> task<> {
    ran.add();
    co_return;
  };
  auto blocks = [&]() -> task<> {
    for (int i = 0; i < 100; ++i) rt.spawn(count()).detach();  // in this worker's own queue
    auto child = co_await fork(count());  // in its deque
    auto passes = shut.pass();
    co_await passes;
    co_await child;
  };
  auto blocked = rt.spawn(blocks(), "blocks");
  ran.wait_for(101);
  shut.open();
  blocked.get();
}

/// What belongs to the loop of a worker, all of it left there in the step that blocks its thread.
class left_behind {
 public:
  explicit left_behind(gate& at) : shut_(at) {}

  task<> leave_and_block() {
    worker_ = this_worker::id().value();
    spawn(eager, sleeps()).detach();  // runs in this step up to where it suspends
    spawn(eager, waits()).detach();
    this_loop().call_soon([this] { called_.add(); });
    this_loop().call_later(1ms, [this] { called_.add(); });
    spawn(runs()).detach();
    auto child = co_await fork(runs());
    auto passes = shut_.pass();
    co_await passes;
    co_await child;
  }
  /// Bound to the worker that blocks, and handed in meanwhile.
  task<> is_bound() {
    EXPECT_EQ(this_worker::id(), worker_);
    bound_.add();
    co_return;
  }
  void wake() { wakes_.set(); }

  std::size_t worker() const { return worker_; }
  tally& ran() { return ran_; }
  tally& bound() { return bound_; }
  tally& woken() { return woken_; }
  tally& slept() { return slept_; }
  tally& called() { return called_; }

 private:
  task<> sleeps() {
    co_await sleep_for(1ms);
    slept_.add();
  }
  task<> waits() {
    co_await wakes_.wait();
    woken_.add();
  }
  task<> runs() {
    EXPECT_NE(this_worker::id(), worker_);
    ran_.add();
    co_return;
  }

  gate& shut_;
  std::size_t worker_ = max_workers;
  event wakes_;
  tally ran_;
  tally bound_;
  tally woken_;
  tally slept_;
  tally called_;
};

/// `options` leave one worker to work when another one blocks. Of the four items of a strict batch
/// so many are dealt to it.
void expect_only_the_queue_goes_on(const runtime_options& options, long dealt_to_it) {
  gate shut;
  left_behind all(shut);
  runtime rt(options);
  auto blocked = rt.spawn(all.leave_and_block(), "blocks");
  shut.passing.wait_for(1);
  auto bound = rt.spawn_on(all.worker(), all.is_bound());
  all.wake();
  tally dealt;
  auto item = [&](std::uint64_t) -> task<> {
    dealt.add();
    co_return;
  };
  all.ran().wait_for(2);  // the task that was queued and the child that was forked
  auto batch = rt.for_each(4, item, dispatch_options().round_robin().strictly());
  dealt.wait_for(dealt_to_it);
  EXPECT_EQ(rt.run(sleep_then(100ms, 1)), 1) << "timers of others go on";
  EXPECT_EQ(dealt.value(), dealt_to_it);
  EXPECT_EQ(all.bound().value(), 0);
  EXPECT_EQ(all.woken().value(), 0);
  EXPECT_EQ(all.slept().value(), 0);
  EXPECT_EQ(all.called().value(), 0);
  shut.open();
  all.bound().wait_for(1);
  all.woken().wait_for(1);
  all.slept().wait_for(1);
  all.called().wait_for(2);
  dealt.wait_for(4);
  batch.get();
  blocked.get();
  bound.get();
  EXPECT_TRUE(rt.drain(1min));
}

TEST(spare_workers, do_not_take_the_wakes_and_timers_of_a_loop_that_is_blocked) {
  error_log log;
  runtime_options options = with_spares(1, log);
  options.workers = 1;
  expect_only_the_queue_goes_on(options, 0);
}

TEST(spare_workers, nor_do_other_workers_where_there_are_no_spare_ones) {
  error_log log;
  expect_only_the_queue_goes_on(with_spares(0, log), 2);
}

TEST(spare_workers, can_be_addressed_once_they_are_there) {
  error_log log;
  gate shut;
  runtime rt(with_spares(1, log));
  EXPECT_THROW((void)rt.spawn_on(workers, give(1)), std::out_of_range);
  auto blocked = block_all(rt, shut);
  auto where = []() -> task<std::size_t> {
    const std::size_t at = this_worker::id().value();
    co_await resume_on(at);
    co_return at;
  };
  auto there = rt.spawn(where());
  EXPECT_EQ(there.get(), workers);
  auto again = rt.spawn_on(workers, where());
  EXPECT_EQ(again.get(), workers);
  EXPECT_THROW((void)rt.spawn_on(workers + 1, give(1)), std::out_of_range);
  shut.open();
  get_all(blocked);
}

TEST(spare_workers, work_on_with_the_others_when_these_are_back) {
  error_log log;
  runtime rt(with_spares(2, log));
  for (int round = 0; round < 3; ++round) {
    gate shut;
    auto blocked = block_all(rt, shut);
    rt.spawn(shut.open_from_a_task()).get();
    get_all(blocked);
    auto op = rt.dispatch(1000, [](std::uint64_t i) { return give(static_cast<int>(i)); });
    EXPECT_EQ(op.get()[999], 999);
  }
  rt.trim();
  EXPECT_TRUE(rt.drain(1min));
  EXPECT_TRUE(rt.diagnose().tasks.empty());
}

// What is cancelled must run to end, and the one that would let the others go on is queued.
TEST(spare_workers, help_to_stop_while_all_block) {
  error_log log;
  gate shut;
  runtime rt(with_spares(1, log));
  auto blocked = block_all(rt, shut);
  tally began;
  auto opens_at_end = [&]() -> task<> {
    const auto opens = [](gate* at) { at->open(); };
    const std::unique_ptr<gate, decltype(opens)> last(&shut, opens);
    began.add();
    co_await sleep_for(24h);
  };
  auto sleeps = rt.spawn(opens_at_end());
  began.wait_for(1);
  rt.stop();
  EXPECT_EQ(rt.metrics().spare_workers_started, 1u);
  EXPECT_TRUE(sleeps.done());
  for (auto& each : blocked) EXPECT_TRUE(each.done());
}

TEST(spare_workers, whose_thread_cannot_be_made_are_tried_again) {
  error_log log;
  gate shut;
  std::atomic<int> refused{0};
  std::atomic<bool> refuses{false};
  runtime_options options = with_spares(1, log);
  options.thread_factory = [&](std::function<void()> body) {
    if (refuses) {
      ++refused;
      throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
    }
    return std::thread(std::move(body));
  };
  runtime rt(options);
  auto blocked = block_all(rt, shut);
  refuses = true;
  auto opens = rt.spawn(shut.open_from_a_task());
  wait_until([&] { return refused >= 3; });
  EXPECT_EQ(told(log, "a spare worker could not be started"), 1u);
  EXPECT_EQ(rt.metrics().spare_workers_started, 0u);
  EXPECT_FALSE(opens.done());
  refuses = false;
  opens.get();
  get_all(blocked);
  EXPECT_EQ(rt.metrics().spare_workers_started, 1u);
}

TEST(spare_workers, come_with_the_hooks_and_the_numbers_after_the_others) {
  error_log log;
  gate shut;
  std::mutex mutex;
  std::vector<std::size_t> started;
  std::vector<std::size_t> stopped;
  runtime_options options = with_spares(1, log);
  options.pinning = pinning::cores;
  options.on_thread_start = [&](std::size_t w) {
    const std::scoped_lock lock(mutex);
    started.push_back(w);
  };
  options.on_thread_stop = [&](std::size_t w) {
    const std::scoped_lock lock(mutex);
    stopped.push_back(w);
  };
  {
    runtime rt(options);
    auto blocked = block_all(rt, shut);
    rt.spawn(shut.open_from_a_task()).get();
    get_all(blocked);
  }
  std::sort(stopped.begin(), stopped.end());
  EXPECT_EQ(stopped, (std::vector<std::size_t>{0, 1, 2}));
  std::sort(started.begin(), started.end());
  EXPECT_EQ(started, stopped);
}

std::string why_not(const runtime_options& options) {
  try {
    const runtime rt(options);
  } catch (const std::invalid_argument& said) {
    return said.what();
  }
  return "";
}

TEST(spare_workers, need_to_know_what_blocked_means) {
  error_log log;
  runtime_options options = with_spares(2, log);
  EXPECT_EQ(why_not(options), "");
  options.stalled_after = {};
  EXPECT_TRUE(contains(why_not(options), "spare_workers is 2, but stalled_after"))
      << why_not(options);
  options = with_spares(max_workers - workers + 1, log);
  EXPECT_TRUE(contains(why_not(options), "together with the 2 workers it can be at most 1024"));
  options = with_spares(1, log);
  options.provider = thread_provider::task_arena;
  EXPECT_TRUE(contains(why_not(options), "stand-ins come by themselves")) << why_not(options);
}

}  // namespace
}  // namespace harrier::test
