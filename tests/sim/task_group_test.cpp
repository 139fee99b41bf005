// SPDX-License-Identifier: Apache-2.0
// A task_group that is left while its children run on other workers: by an exception of the body or of a
// child, by a cancel, by the end of the runtime, or because it is part of a forked child that is dropped.
// Each time the children have ended before the frame that they refer to is gone.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

constexpr int quick = 60;

/// How all scopes of a test have ended.
struct counts {
  std::atomic<int> scopes_begun{0};
  std::atomic<int> scopes_ended{0};
  std::atomic<int> children_begun{0};
  std::atomic<int> cancels{0};
  std::atomic<int> elsewhere{0};  ///< children that began on another worker than their scope
};

/// What children refer to: a local of the scope that has the group.
class room {
 public:
  explicit room(counts& all) : all_(all) { ++all_.scopes_begun; }
  room(const room&) = delete;
  room& operator=(const room&) = delete;
  ~room() {
    EXPECT_EQ(inside_, 0) << "the frame goes, and children are left that refer to it";
    ++all_.scopes_ended;
  }

  class stay {
   public:
    explicit stay(room& in) : in_(in) {
      ++in_.inside_;
      ++in_.all_.children_begun;
      if (this_worker::id() != in_.worker_) ++in_.all_.elsewhere;
    }
    stay(const stay&) = delete;
    stay& operator=(const stay&) = delete;
    ~stay() { --in_.inside_; }

   private:
    room& in_;
  };

  void cancelled_one() { ++all_.cancels; }
  void failed_one() { ++failed_; }
  int failed() const { return failed_; }

 private:
  counts& all_;
  const std::optional<std::size_t> worker_ = this_worker::id();
  std::atomic<int> inside_{0};
  std::atomic<int> failed_{0};
};

/// Goes on until it is cancelled, then ends late, and fails now and then.
task<> child(room& in, int index) {
  const room::stay here(in);
  try {
    if (index % 3 == 0) {
      for (;;) co_await yield();
    }
    co_await sleep_for(1h);
  } catch (const cancelled&) {
    in.cancelled_one();
  }
  for (int turn = 0; turn != index; ++turn) co_await yield();
  if (index % 4 == 1) {
    in.failed_one();
    throw boom("child");
  }
}

enum class ends_by { body, child, others };
constexpr int children = 5;

/// Expects of what the group throws that it has each error, once.
void expect_all_in(const exception_group& thrown, const room& of, ends_by how) {
  int from_children = 0;
  int others = 0;
  thrown.for_each<boom>(
      [&](const boom& each) { ++(each.what() == std::string("child") ? from_children : others); });
  EXPECT_EQ(from_children, of.failed());
  EXPECT_EQ(others, how == ends_by::others ? 0 : 1);
}

task<> scope(counts& all, ends_by how, int turns) {
  room mine(all);
  auto fails = [&]() -> task<> {
    co_await yield();
    throw boom("first");
  };
  auto body = [&](task_group& group) -> task<> {
    for (int i = 0; i != children; ++i) group.start(child(mine, i));
    for (int turn = 0; turn != turns; ++turn) co_await yield();
    if (how == ends_by::body) throw boom("first");
    if (how == ends_by::child) group.start(fails());
    co_await sleep_for(1h);
  };
  auto op = with_task_group(body);
  try {
    co_await op;
    ADD_FAILURE() << "it has not been left";
  } catch (const exception_group& thrown) {
    expect_all_in(thrown, mine, how);
    throw;
  }
}

runtime_options with(std::size_t workers, error_log& log) {
  runtime_options options;
  options.workers = workers;
  options.exception_handler = std::ref(log);
  return options;
}

void expect_all_ended(const counts& all) {
  EXPECT_EQ(all.scopes_begun, all.scopes_ended);
  EXPECT_EQ(all.children_begun, all.cancels) << "each is cancelled, once";
}

/// `body(runtime, counts)` for one, two and four workers under many seeds.
template <class Body>
void for_each_case(Body body) {
  int elsewhere = 0;
  for (const std::size_t workers : {1u, 2u, 4u}) {
    for_each_seed(quick, std::to_string(workers) + " workers", [&] {
      error_log log;
      counts all;
      {
        runtime rt(with(workers, log));
        body(rt, all);
        EXPECT_TRUE(rt.drain(1h));
      }
      expect_all_ended(all);
      EXPECT_EQ(log.size(), 0u) << log.at(0).message;
      elsewhere += all.elsewhere;
    });
  }
  const bool is_replay = std::getenv("HARRIER_SEED") != nullptr;  // of one schedule
  EXPECT_TRUE(is_replay || elsewhere > 0);
}

TEST(sim_task_group, left_by_an_exception_joins_what_runs_elsewhere) {
  for_each_case([](runtime& rt, counts& all) {
    std::vector<join_handle<void>> scopes;
    for (const int turns : {0, 1, 4}) {
      scopes.push_back(rt.spawn(scope(all, ends_by::body, turns)));
      scopes.push_back(rt.spawn(scope(all, ends_by::child, turns)));
    }
    for (auto& each : scopes) EXPECT_THROW(each.get(), exception_group);
  });
}

TEST(sim_task_group, cancelled_joins_what_runs_elsewhere) {
  for_each_case([](runtime& rt, counts& all) {
    std::vector<join_handle<void>> scopes;
    for (const int turns : {0, 1, 4, 20}) {
      scopes.push_back(rt.spawn(scope(all, ends_by::others, turns)));
    }
    for (auto& each : scopes) {
      std::this_thread::sleep_for(5us);
      each.cancel();
    }
    for (auto& each : scopes) {
      try {
        each.get();
        ADD_FAILURE() << "it swallowed the cancel";
      } catch (const run_cancelled&) {
      } catch (const exception_group&) {  // what children threw meanwhile
      }
    }
  });
}

TEST(sim_task_group, in_a_forked_child_that_is_dropped_joins_what_runs_elsewhere) {
  for_each_case([](runtime& rt, counts& all) {
    auto drops = [&](int turns) -> task<> {
      auto dropped = co_await fork(scope(all, ends_by::others, turns));
      for (int turn = 0; turn != 6; ++turn) co_await yield();
      throw boom("parent");
    };
    std::vector<join_handle<void>> parents;
    for (const int turns : {0, 1, 100}) parents.push_back(rt.spawn(drops(turns)));
    for (auto& each : parents) EXPECT_THROW(each.get(), boom);
  });
}

TEST(sim_task_group, inside_another_one_ends_before_it) {
  for_each_case([](runtime& rt, counts& all) {
    auto outer = [&](int turns) -> task<> {
      auto body = [&](task_group& group) -> task<> {
        group.start(scope(all, ends_by::others, turns));
        group.start(scope(all, ends_by::others, 3));
        for (int turn = 0; turn != 5; ++turn) co_await yield();
        throw boom("outer");
      };
      auto op = with_task_group(body);
      co_await op;
    };
    std::vector<join_handle<void>> groups;
    for (const int turns : {0, 100}) groups.push_back(rt.spawn(outer(turns)));
    for (auto& each : groups) EXPECT_THROW(each.get(), exception_group);
  });
}

TEST(sim_task_group, ends_with_its_runtime) {
  for (const std::size_t workers : {1u, 2u, 4u}) {
    for_each_seed(quick, std::to_string(workers) + " workers", [&] {
      error_log log;
      counts all;
      std::vector<join_handle<void>> scopes;
      {
        runtime rt(with(workers, log));
        for (const int turns : {0, 1, 4, 20}) {
          scopes.push_back(rt.spawn(scope(all, ends_by::others, turns)));
        }
        std::this_thread::sleep_for(10us);
        rt.stop();
        for (auto& each : scopes) EXPECT_TRUE(each.done());
      }
      for (auto& each : scopes) EXPECT_ANY_THROW(each.get());
      scopes.clear();
      expect_all_ended(all);
      EXPECT_EQ(log.size(), 0u) << log.at(0).message;
    });
  }
}

}  // namespace
}  // namespace harrier::test
