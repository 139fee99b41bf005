// SPDX-License-Identifier: Apache-2.0
// Items that give way without a record, many at once on one worker: time stands still here while a chunk
// runs, so that chunks grow whatever the machine.
#include <harrier/runtime.hpp>

#include "sim/seeds.hpp"
#include "unit/support.hpp"

#include <algorithm>
#include <vector>

namespace harrier::test {
namespace {

constexpr int quick = scaled(50, 10);
constexpr std::uint64_t few = 8;

/// Items on one worker, of which one acts: the first that goes on while some others have given way.
class one_acts {
 public:
  static constexpr std::uint64_t items = 1'000;
  /// To be asked before and after a yield. After it: whether to act.
  void before() { ++waiting_; }
  bool after() {
    --waiting_;
    if (others_ != 0 || waiting_ < few) {
      return false;
    }
    others_ = waiting_;
    return true;
  }
  std::uint64_t others() const { return others_; }

 private:
  std::uint64_t waiting_ = 0;
  std::uint64_t others_ = 0;
};

TEST(sim_given_way, a_cancel_is_thrown_once_where_an_item_gave_way) {
  for_each_seed(quick, "1 worker", [] {
    runtime rt(std::size_t{1});
    one_acts which;
    tally first_throws;
    tally later_throws;
    auto item = [&](std::uint64_t) -> task<> {
      which.before();
      bool was_cancelled = false;
      try {
        co_await yield();
      } catch (const cancelled&) {
        was_cancelled = true;
      }
      if (which.after()) {
        throw boom();  // which cancels the batch
      }
      if (was_cancelled) {
        first_throws.add();
      }
      try {
        co_await yield();
      } catch (const cancelled&) {
        later_throws.add();
      }
    };
    auto batch = rt.dispatch(one_acts::items, item, dispatch_options().on_error(fail_fast));
    EXPECT_THROW(batch.get(), boom);
    EXPECT_GE(which.others(), few);
    EXPECT_EQ(first_throws.value() + later_throws.value(), which.others());
    EXPECT_GE(first_throws.value(), few - 1);
  });
}

TEST(sim_given_way, items_are_listed_and_can_be_cancelled_one_by_one) {
  for_each_seed(quick, "1 worker", [] {
    runtime rt(std::size_t{1});
    one_acts which;
    std::size_t listed = 0;
    tally throws;
    auto item = [&](std::uint64_t index) -> task<std::uint64_t> {
      which.before();
      try {
        co_await yield();
      } catch (const cancelled&) {
        throws.add();
      }
      if (which.after()) {
        std::vector<task_ref> all = rt.all_tasks();
        listed = all.size();
        for (task_ref& each : all) {
          each.cancel();
        }
      }
      co_return index;
    };
    auto batch = rt.dispatch(one_acts::items, item);
    batch.wait();
    EXPECT_GE(which.others(), few);
    EXPECT_EQ(listed, which.others()) << "all but the one that asks, which runs";
    EXPECT_EQ(throws.value(), which.others());
    EXPECT_EQ(batch.counts().completed, one_acts::items);
  });
}

TEST(sim_given_way, an_item_that_gave_way_is_in_the_window) {
  for_each_seed(quick, "1 worker", [] {
    runtime rt(std::size_t{1});
    std::uint64_t live = 0;
    std::uint64_t most = 0;
    auto item = [&](std::uint64_t) -> task<> {
      most = std::max(most, ++live);
      co_await yield();
      co_await yield();
      --live;
    };
    rt.dispatch(100, item, dispatch_options().with_window(4)).get();
    EXPECT_EQ(most, 4u);
  });
}

}  // namespace
}  // namespace harrier::test
