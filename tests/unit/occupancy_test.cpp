// SPDX-License-Identifier: Apache-2.0
// The word that says whether a thread is in a slot: each transition, and who is refused.
#include <harrier/detail/occupancy.hpp>

#include "support.hpp"

namespace harrier::test {
namespace {

using detail::occupancy;

TEST(occupancy, only_the_first_call_sends) {
  occupancy slot;
  EXPECT_EQ(slot.call(), occupancy::call_result::send);
  EXPECT_TRUE(slot.is_called());
  EXPECT_EQ(slot.call(), occupancy::call_result::known);
}

TEST(occupancy, nobody_enters_uncalled_and_only_one_enters_when_called) {
  occupancy slot;
  EXPECT_FALSE(slot.enter());
  slot.call();
  EXPECT_TRUE(slot.enter());
  EXPECT_FALSE(slot.enter());
}

TEST(occupancy, who_is_called_while_inside_cannot_leave_before_it_has_looked) {
  occupancy slot;
  slot.call();
  ASSERT_TRUE(slot.enter());
  EXPECT_EQ(slot.call(), occupancy::call_result::heard);
  EXPECT_EQ(slot.call(), occupancy::call_result::known);
  EXPECT_FALSE(slot.leave());
  EXPECT_TRUE(slot.leave());
  EXPECT_FALSE(slot.enter()) << "the call was answered";
}

TEST(occupancy, renewed_it_waits_for_the_next) {
  occupancy slot;
  slot.call();
  ASSERT_TRUE(slot.enter());
  slot.call();
  EXPECT_FALSE(slot.renew());
  EXPECT_TRUE(slot.renew());
  EXPECT_TRUE(slot.is_called());
  EXPECT_TRUE(slot.enter());
}

TEST(occupancy, closed_it_hears_and_admits_nobody) {
  occupancy vacant;
  EXPECT_EQ(vacant.close(), occupancy::closed_from::vacant);
  EXPECT_EQ(vacant.call(), occupancy::call_result::known);
  EXPECT_FALSE(vacant.enter());
  occupancy called;
  called.call();
  EXPECT_EQ(called.close(), occupancy::closed_from::called);
  EXPECT_FALSE(called.enter());
  EXPECT_EQ(called.close(), occupancy::closed_from::closed);
}

TEST(occupancy, closing_waits_for_the_one_inside) {
  occupancy slot;
  slot.call();
  ASSERT_TRUE(slot.enter());
  std::atomic<bool> left{false};
  std::thread closer([&] {
    slot.close();
    EXPECT_TRUE(left);
  });
  left = true;
  EXPECT_TRUE(slot.leave());
  closer.join();
}

// Two threads call and both answer: what they write inside needs no lock, and no call is lost.
TEST(occupancy, hands_what_was_done_inside_to_the_next) {
  constexpr int rounds = scaled(200'000, 20'000);
  occupancy slot;
  std::atomic<int> asked{0};
  int done = 0;  // written inside only
  const auto serve = [&] {
    if (!slot.enter()) return;
    do {
      done = asked.load();
    } while (!slot.leave());
  };
  const auto ask = [&] {
    for (int k = 0; k < rounds; ++k) {
      ++asked;
      slot.call();
      serve();
    }
  };
  std::thread other(ask);
  ask();
  other.join();
  serve();  // a call that nobody answered because the other was inside
  EXPECT_EQ(done, 2 * rounds);
}

}  // namespace
}  // namespace harrier::test
