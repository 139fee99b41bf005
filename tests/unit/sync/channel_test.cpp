// SPDX-License-Identifier: Apache-2.0
// Channels: order, capacity, close, and no item lost to a cancel.
#include <harrier/sync/channel.hpp>

#include "family.hpp"

#include <memory>
#include <numeric>
#include <optional>
#include <vector>

namespace harrier::test {
namespace {

struct fifo_across {
  template <class T>
  using channel = harrier::channel<T>;
};
struct fifo_local {
  template <class T>
  using channel = local_channel<T>;
};

template <class Kind>
class channel_test : public on_runner<Kind> {};
using kinds = testing::Types<fifo_across, fifo_local>;
TYPED_TEST_SUITE(channel_test, kinds);

/// Its move throws when it is told to.
class fragile {
 public:
  explicit fragile(int number) noexcept : value(number) {}
  fragile(fragile&& other) noexcept(false) : value(other.value) {
    if (moves_left-- == 0) throw boom("move");
  }
  fragile& operator=(fragile&&) = delete;
  int value;
  static inline int moves_left = -1;
};

TYPED_TEST(channel_test, items_pass_in_order_without_suspending_while_there_is_room) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<int> c(3);
    bool others_ran = false;
    this_loop().call_soon([&] { others_ran = true; });
    for (int i = 0; i < 3; ++i) co_await c.send(i);
    EXPECT_TRUE(c.is_full());
    EXPECT_FALSE(c.try_send(9));
    for (int i = 0; i < 3; ++i) {
      auto item = co_await c.receive();
      EXPECT_EQ(item, i);
    }
    EXPECT_TRUE(c.is_empty());
    EXPECT_FALSE(c.try_receive());
    EXPECT_FALSE(others_ran);
    co_await yield();
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, many_items_through_every_capacity) {
  for (const std::ptrdiff_t capacity : {std::ptrdiff_t{0}, std::ptrdiff_t{1}, std::ptrdiff_t{2},
                                        std::ptrdiff_t{7}, std::ptrdiff_t{100}, unbounded}) {
    constexpr int n = 500;
    auto main = [&]() -> task<int> {
      typename TypeParam::template channel<std::unique_ptr<int>> c(capacity);
      auto produce = [&]() -> task<> {
        for (int i = 0; i < n; ++i) {
          auto item = std::make_unique<int>(i);
          co_await c.send(std::move(item));
        }
        c.close();
      };
      auto p = spawn(produce());
      int next = 0;
      while (auto item = co_await c.receive()) {
        EXPECT_EQ(**item, next);
        ++next;
      }
      co_await p;
      co_return next;
    };
    EXPECT_EQ(this->r.run(main()), n) << "capacity " << capacity;
  }
}

TYPED_TEST(channel_test, for_each_awaits_or_calls) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<int> c(4);
    for (int i = 1; i <= 4; ++i) co_await c.send(i);
    c.close();
    int sum = 0;
    auto add = [&](int item) { sum += item; };
    auto rest = c.for_each(add);
    co_await rest;
    EXPECT_EQ(sum, 10);
    typename TypeParam::template channel<int> d(4);
    for (int i = 1; i <= 4; ++i) co_await d.send(i);
    d.close();
    auto add_later = [&](int item) -> task<> {
      co_await yield();
      sum += item;
    };
    auto others = d.for_each(add_later);
    co_await others;
    EXPECT_EQ(sum, 20);
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, rendezvous_sender_waits_until_its_item_is_taken) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<int> c(0);
    bool sent = false;
    auto produce = [&]() -> task<> {
      co_await c.send(7);
      sent = true;
    };
    auto p = spawn(produce());
    co_await let_run(3);
    EXPECT_FALSE(sent);
    EXPECT_EQ(c.size(), 0u);
    auto item = co_await c.receive();
    EXPECT_EQ(item, 7);
    co_await p;
    EXPECT_TRUE(sent);
    EXPECT_FALSE(c.try_send(8)) << "nobody is there to take it";
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, cancelled_receiver_hands_its_item_to_the_next) {
  std::vector<int> got;
  auto main = [&]() -> task<> {
    typename TypeParam::template channel<int> c(1);
    auto consume = [&]() -> task<> {
      auto item = co_await c.receive();
      got.push_back(item.value_or(-1));
    };
    auto a = spawn(consume());
    auto b = spawn(consume());
    co_await yield();
    co_await c.send(1);
    a.cancel();
    EXPECT_THROW(co_await a, cancelled);
    co_await b;
  };
  this->r.run(main());
  EXPECT_EQ(got, (std::vector<int>{1}));
}

TYPED_TEST(channel_test, cancelled_receiver_puts_its_item_back_in_front_even_if_full) {
  for (const std::ptrdiff_t capacity : {0, 2}) {
    std::vector<int> got;
    auto main = [&]() -> task<> {
      typename TypeParam::template channel<int> c(capacity);
      auto consume = [&]() -> task<> {
        auto item = co_await c.receive();
        got.push_back(item.value_or(-1));
      };
      auto a = spawn(consume());
      co_await yield();
      EXPECT_TRUE(c.try_send(1)) << "handed to a";
      for (int i = 2; i < 2 + capacity; ++i) EXPECT_TRUE(c.try_send(std::move(i)));
      auto produce = [&]() -> task<> { co_await c.send(9); };
      auto p = spawn(produce());
      a.cancel();
      EXPECT_THROW(co_await a, cancelled);
      EXPECT_EQ(c.size(), static_cast<std::size_t>(capacity) + 1);
      EXPECT_FALSE(p.done());
      for (std::ptrdiff_t i = 0; i < capacity + 2; ++i) {
        auto item = co_await c.receive();
        got.push_back(item.value_or(-1));
      }
      co_await p;
      EXPECT_EQ(c.size(), 0u);
    };
    this->r.run(main());
    EXPECT_EQ(got, capacity == 0 ? (std::vector<int>{1, 9}) : (std::vector<int>{1, 2, 3, 9}));
  }
}

TYPED_TEST(channel_test, cancelled_sender_takes_its_item_away_unless_it_was_taken) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<int> c(1);
    bool threw = false;
    auto produce = [&](int i) -> task<> {
      try {
        co_await c.send(i);
      } catch (const cancelled&) {
        threw = true;
        throw;
      }
      co_await yield();
    };
    co_await c.send(0);
    auto a = spawn(produce(1));
    auto b = spawn(produce(2));
    co_await yield();
    a.cancel();
    EXPECT_THROW(co_await a, cancelled);
    EXPECT_TRUE(std::exchange(threw, false));
    auto item = co_await c.receive();  // takes the item of b into the channel
    EXPECT_EQ(item, 0);
    b.cancel();
    EXPECT_THROW(co_await b, cancelled);
    EXPECT_FALSE(threw) << "not from the send, which has happened";
    item = co_await c.receive();
    EXPECT_EQ(item, 2);
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, close_wakes_everybody_and_leaves_the_items) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<int> c(1);
    co_await c.send(1);
    auto produce = [&]() -> task<> { co_await c.send(2); };
    auto p = spawn(produce());
    co_await yield();
    c.close();
    EXPECT_TRUE(c.is_closed());
    EXPECT_THROW(co_await p, channel_closed);
    try {
      co_await c.send(3);
      ADD_FAILURE();
    } catch (const channel_closed& error) {
      EXPECT_STREQ(error.what(), "channel is closed");
    }
    EXPECT_THROW(c.try_send(3), channel_closed);
    auto item = co_await c.receive();
    EXPECT_EQ(item, 1);
    item = co_await c.receive();
    EXPECT_EQ(item, std::nullopt);
    EXPECT_EQ(c.try_receive(), std::nullopt);

    typename TypeParam::template channel<int> d(1);
    auto consume = [&]() -> task<bool> {
      auto got = co_await d.receive();
      co_return got.has_value();
    };
    auto waiting = spawn(consume());
    co_await yield();
    d.close();
    EXPECT_FALSE(co_await waiting);
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, close_now_drops_the_items) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<tracked> c(unbounded);
    for (int i = 0; i < 40; ++i) {
      tracked item;
      co_await c.send(std::move(item));
    }
    EXPECT_EQ(tracked::alive(), 40);
    c.close_now();
    EXPECT_EQ(tracked::alive(), 0);
    auto item = co_await c.receive();
    EXPECT_FALSE(item);
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, items_left_go_with_the_channel) {
  {
    typename TypeParam::template channel<tracked> c(20);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(c.try_send(tracked()));
    EXPECT_FALSE(c.try_send(tracked()));
    EXPECT_TRUE(c.try_receive());
    EXPECT_EQ(tracked::alive(), 19);
  }
  EXPECT_EQ(tracked::alive(), 0);
}

TYPED_TEST(channel_test, an_item_whose_move_throws_stays_where_it_was) {
  auto main = []() -> task<> {
    typename TypeParam::template channel<fragile> c(4);
    fragile::moves_left = -1;
    co_await c.send(fragile(1));
    fragile first(2);
    fragile::moves_left = 0;
    EXPECT_THROW(c.try_send(std::move(first)), boom);
    EXPECT_EQ(c.size(), 1u);
    fragile::moves_left = 0;
    EXPECT_THROW(co_await c.receive(), boom);
    EXPECT_EQ(c.size(), 1u);
    fragile::moves_left = -1;
    auto item = co_await c.receive();
    EXPECT_EQ(item->value, 1);
  };
  this->r.run(main());
}

TYPED_TEST(channel_test, a_negative_capacity_is_refused) {
  EXPECT_THROW(typename TypeParam::template channel<int>(-1), invalid_count);
}

TEST(lifo_channel, gives_the_latest_first) {
  lifo_channel<int> c(3);
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(c.try_send(std::move(i)));
  EXPECT_FALSE(c.try_send(4));
  for (int i = 3; i >= 1; --i) EXPECT_EQ(c.try_receive(), i);
}

TEST(priority_channel, gives_the_least_first_and_takes_back_in_order) {
  virtual_clock time;
  runner r(on(time));
  auto main = []() -> task<> {
    local_priority_channel<std::unique_ptr<int>,
                           decltype([](const auto& a, const auto& b) { return *a < *b; })>
        c(3);
    auto consume = [&]() -> task<> {
      auto item = co_await c.receive();
      ADD_FAILURE() << **item;
    };
    auto t = spawn(consume());
    co_await yield();
    for (const int i : {3, 1, 4, 2}) EXPECT_TRUE(c.try_send(std::make_unique<int>(i)));
    t.cancel();  // it had 3
    EXPECT_THROW(co_await t, cancelled);
    auto produce = [&]() -> task<> { co_await c.send(std::make_unique<int>(0)); };
    auto p = spawn(produce());
    co_await yield();
    for (const int expected : {1, 2, 0, 3, 4}) {
      auto item = co_await c.receive();
      EXPECT_EQ(**item, expected);
    }
    co_await p;
  };
  r.run(main());
}

TEST(local_channel, another_loop_is_refused) {
  local_channel<int> c(1);
  auto send = [&]() -> task<> { co_await c.send(1); };
  runner first;
  first.run(send());
  runner second;
  EXPECT_THROW(second.run(send()), foreign_loop);
  EXPECT_EQ(c.size(), 1u);
}

}  // namespace
}  // namespace harrier::test
