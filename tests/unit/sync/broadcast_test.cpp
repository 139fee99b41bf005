// SPDX-License-Identifier: Apache-2.0
// Broadcast and oneshot.
#include <harrier/sync/broadcast.hpp>

#include <harrier/sync/oneshot.hpp>

#include "family.hpp"

#include <optional>
#include <vector>

namespace harrier::test {
namespace {

template <template <class> class Broadcast, template <class> class Oneshot>
struct kind {
  template <class T>
  using broadcast = Broadcast<T>;
  template <class T>
  using oneshot = Oneshot<T>;
};

template <class Kind>
class broadcast_test : public on_runner<Kind> {};
using kinds = testing::Types<kind<broadcast, oneshot>, kind<local_broadcast, local_oneshot>>;
TYPED_TEST_SUITE(broadcast_test, kinds);

TYPED_TEST(broadcast_test, every_subscription_gets_every_item_and_the_slowest_holds_the_sender) {
  auto main = []() -> task<> {
    typename TypeParam::template broadcast<std::string> b(2);
    co_await b.send("lost: nobody listens");
    typename TypeParam::template broadcast<std::string>::subscription quick(b);
    auto slow =
        std::make_unique<typename TypeParam::template broadcast<std::string>::subscription>(b);
    int sent = 0;
    auto produce = [&]() -> task<> {
      for (const char* word : {"a", "b", "c"}) {
        co_await b.send(word);
        ++sent;
      }
    };
    auto p = spawn(produce());
    co_await yield();
    for (const char* word : {"a", "b"}) {
      auto item = co_await quick.receive();
      EXPECT_EQ(item, word);
    }
    co_await yield();
    EXPECT_EQ(sent, 2) << "the slow one has read nothing";
    auto item = co_await slow->receive();
    EXPECT_EQ(item, "a");
    co_await p;
    slow.reset();  // what it has not read does not stay
    item = co_await quick.receive();
    EXPECT_EQ(item, "c");
    b.close();
    item = co_await quick.receive();
    EXPECT_EQ(item, std::nullopt);
    EXPECT_THROW(co_await b.send("d"), channel_closed);
  };
  this->r.run(main());
  EXPECT_THROW(typename TypeParam::template broadcast<int>(0), invalid_count);
}

TYPED_TEST(broadcast_test, cancelled_receiver_misses_nothing) {
  auto main = []() -> task<> {
    typename TypeParam::template broadcast<int> b(4);
    typename TypeParam::template broadcast<int>::subscription s(b);
    auto consume = [&]() -> task<> { co_await s.receive(); };
    auto t = spawn(consume());
    co_await yield();
    co_await b.send(1);
    t.cancel();
    EXPECT_THROW(co_await t, cancelled);
    auto item = co_await s.receive();
    EXPECT_EQ(item, 1);
  };
  this->r.run(main());
}

TYPED_TEST(broadcast_test, oneshot_carries_one_item) {
  auto main = []() -> task<> {
    typename TypeParam::template oneshot<int> o;
    auto consume = [&]() -> task<int> {
      auto item = co_await o.receive();
      co_return item.value_or(-1);
    };
    auto first = spawn(consume());
    auto second = spawn(consume());
    co_await yield();
    o.send(7);
    EXPECT_THROW(o.send(8), channel_closed);
    EXPECT_EQ(co_await first, 7);
    EXPECT_EQ(co_await second, -1);

    typename TypeParam::template oneshot<int> never;
    never.close();
    EXPECT_EQ(never.try_receive(), std::nullopt);
    auto nothing = co_await never.receive();
    EXPECT_EQ(nothing, std::nullopt);
  };
  this->r.run(main());
}

}  // namespace
}  // namespace harrier::test
