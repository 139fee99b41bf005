// SPDX-License-Identifier: Apache-2.0
// test_queues: channels. put is send, get is receive, put_nowait and get_nowait are try_send and
// try_receive, which say false and nothing for full and empty. An unlimited channel is `unbounded`; a
// capacity of 0 is a rendezvous. task_done and join are those of a wait_group. What an item or a
// waiter waits for is handed over at once, so it never has to wait a second time.
//
// Left out: test_repr, test_str, test_ctor_*, test_shutdown_repr (no repr, Python's signatures),
// test_format (likewise).
#include <harrier/sync/channel.hpp>

#include "both_families.hpp"

#include <vector>

namespace harrier::test {
namespace {

template <class Channel>
task<> send_and_note(Channel& q, int item, std::vector<int>& sent) {
  co_await q.send(item);
  sent.push_back(item);
}

template <class Channel>
task<int> receive_one(Channel& q) {
  auto item = co_await q.receive();
  co_return item.value_or(-1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_empty) {
  typename Family::template channel<int> q(unbounded);
  EXPECT_TRUE(q.is_empty());
  co_await q.send(1);
  EXPECT_FALSE(q.is_empty());
  EXPECT_EQ(q.try_receive(), 1);
  EXPECT_TRUE(q.is_empty());
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_full) {
  typename Family::template channel<int> q(unbounded);
  EXPECT_FALSE(q.is_full());
  typename Family::template channel<int> one(1);
  co_await one.send(1);
  EXPECT_TRUE(one.is_full());
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_order) {
  typename Family::template channel<int> q(unbounded);
  for (int i : {1, 3, 2}) q.try_send(std::move(i));
  for (const int i : {1, 3, 2}) EXPECT_EQ(q.try_receive(), i);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_lifo_order) {
  typename Family::template lifo_channel<int> q(unbounded);
  for (int i : {1, 3, 2}) q.try_send(std::move(i));
  for (const int i : {2, 3, 1}) EXPECT_EQ(q.try_receive(), i);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_priority_order) {
  typename Family::template priority_channel<int> q(unbounded);
  for (int i : {1, 3, 2}) q.try_send(std::move(i));
  for (const int i : {1, 2, 3}) EXPECT_EQ(q.try_receive(), i);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_maxsize) {
  typename Family::template channel<int> q(2);
  EXPECT_EQ(q.capacity(), 2);
  std::vector<int> sent;
  auto putter = [&]() -> task<> {
    for (int i = 1; i <= 3; ++i) {
      auto op = send_and_note(q, i, sent);
      co_await op;
    }
  };
  auto t = spawn(putter());
  co_await let_run(2);
  EXPECT_EQ(sent, (std::vector<int>{1, 2}));
  EXPECT_EQ(q.size(), 2u);
  EXPECT_EQ(co_await q.receive(), 1);
  co_await t;
  EXPECT_EQ(q.size(), 2u);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_blocking_get) {
  typename Family::template channel<int> q(unbounded);
  q.try_send(1);
  EXPECT_EQ(co_await q.receive(), 1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_with_putters) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  q.try_send(1);
  auto waiter = spawn(send_and_note(q, 2, sent));
  co_await yield();
  EXPECT_EQ(co_await q.receive(), 1);
  co_await waiter;
  EXPECT_EQ(q.try_receive(), 2);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_blocking_get_wait) {
  typename Family::template channel<int> q(unbounded);
  auto later = [&]() -> task<> {
    co_await sleep_for(10ms);
    co_await q.send(1);
  };
  auto t = spawn(later());
  EXPECT_EQ(co_await q.receive(), 1);
  co_await t;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_nonblocking_get) {
  typename Family::template channel<int> q(unbounded);
  q.try_send(1);
  EXPECT_EQ(q.try_receive(), 1);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_nonblocking_get_exception) {
  typename Family::template channel<int> q(unbounded);
  EXPECT_EQ(q.try_receive(), std::nullopt);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_cancelled) {
  typename Family::template channel<int> q(unbounded);
  auto t = spawn(receive_one(q));
  co_await sleep_for(10ms);
  t.cancel();
  EXPECT_THROW(co_await t, cancelled);
  q.try_send(1);
  EXPECT_EQ(co_await q.receive(), 1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_cancelled_race) {
  typename Family::template channel<int> q(unbounded);
  auto t1 = spawn(receive_one(q));
  auto t2 = spawn(receive_one(q));
  co_await yield();
  t1.cancel();
  co_await yield();
  EXPECT_THROW(co_await t1, cancelled);
  q.try_send(1);
  EXPECT_EQ(co_await t2, 1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_cancel_drop_one_pending_reader) {
  typename Family::template channel<int> q(unbounded);
  auto reader = spawn(receive_one(q));
  co_await yield();
  q.try_send(1);
  q.try_send(2);
  reader.cancel();  // it has been given 1
  EXPECT_THROW(co_await reader, cancelled);
  EXPECT_EQ(co_await q.receive(), 1);
  EXPECT_EQ(co_await q.receive(), 2);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_cancel_drop_many_pending_readers) {
  typename Family::template channel<int> q(unbounded);
  auto reader1 = spawn(receive_one(q));
  auto reader2 = spawn(receive_one(q));
  auto reader3 = spawn(receive_one(q));
  co_await yield();
  q.try_send(1);
  q.try_send(2);
  reader1.cancel();
  EXPECT_THROW(co_await reader1, cancelled);
  const int second = co_await reader2;
  const int third = co_await reader3;
  EXPECT_EQ(second + third, 3);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_get_with_waiting_putters) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  auto a = spawn(send_and_note(q, 1, sent));
  auto b = spawn(send_and_note(q, 2, sent));
  co_await yield();
  EXPECT_EQ(co_await q.receive(), 1);
  EXPECT_EQ(co_await q.receive(), 2);
  co_await a;
  co_await b;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_why_are_getters_waiting) {
  typename Family::template channel<int> q(1);
  auto consumer = [&]() -> task<> {
    for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await q.receive(), i);
  };
  auto producer = [&]() -> task<> {
    for (int i = 0; i < 5; ++i) co_await q.send(i);
  };
  auto p = spawn(producer());
  auto c = spawn(consumer());
  co_await p;
  co_await c;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_cancelled_getters_not_being_held_in_self_getters) {
  typename Family::template channel<int> q(5);
  auto getter = spawn(receive_one(q));
  co_await sleep_for(100ms);
  getter.cancel();
  EXPECT_THROW(co_await getter, cancelled);
  q.try_send(1);
  EXPECT_EQ(q.size(), 1u) << "not handed to one that is gone";
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_blocking_put) {
  typename Family::template channel<int> q(unbounded);
  co_await q.send(1);
  EXPECT_EQ(q.try_receive(), 1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_blocking_put_wait) {
  typename Family::template channel<int> q(1);
  bool started = false;
  auto putter = [&]() -> task<> {
    started = true;
    co_await q.send(1);
    co_await q.send(2);
  };
  auto t = spawn(putter());
  co_await sleep_for(10ms);
  EXPECT_TRUE(started);
  EXPECT_FALSE(t.done());
  EXPECT_EQ(co_await q.receive(), 1);
  EXPECT_EQ(co_await q.receive(), 2);
  co_await t;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_nonblocking_put) {
  typename Family::template channel<int> q(unbounded);
  EXPECT_TRUE(q.try_send(1));
  EXPECT_EQ(q.try_receive(), 1);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_nonblocking_put_exception) {
  typename Family::template channel<int> q(1);
  EXPECT_TRUE(q.try_send(1));
  EXPECT_FALSE(q.try_send(2));
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_float_maxsize) {  // here: a negative one
  try {
    typename Family::template channel<int> q(-2);
    ADD_FAILURE();
  } catch (const invalid_count& error) {
    EXPECT_STREQ(error.what(), "a channel has no negative capacity: `unbounded` has no limit");
  }
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_put_cancelled) {
  typename Family::template channel<int> q(unbounded);
  std::vector<int> sent;
  auto t = spawn(send_and_note(q, 1, sent));
  EXPECT_EQ(co_await q.receive(), 1);
  EXPECT_TRUE(t.done());
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_put_cancel_drop) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  q.try_send(1);
  auto writer = spawn(send_and_note(q, 2, sent));
  co_await yield();
  EXPECT_EQ(q.try_receive(), 1);
  writer.cancel();
  // Its item has been taken: the cancel no longer concerns it.
  EXPECT_THROW(co_await writer, cancelled);
  EXPECT_EQ(sent, (std::vector<int>{2}));
  EXPECT_EQ(q.try_receive(), 2);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_put_cancel_drop_many_pending_writers) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  q.try_send(1);
  auto w1 = spawn(send_and_note(q, 2, sent));
  auto w2 = spawn(send_and_note(q, 3, sent));
  auto w3 = spawn(send_and_note(q, 4, sent));
  co_await yield();
  w1.cancel();
  EXPECT_THROW(co_await w1, cancelled);
  EXPECT_EQ(q.try_receive(), 1);
  EXPECT_EQ(q.try_receive(), 3);
  EXPECT_EQ(q.try_receive(), 4);
  co_await w2;
  co_await w3;
  EXPECT_EQ(sent, (std::vector<int>{3, 4}));
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_put_cancelled_race) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  auto a = spawn(send_and_note(q, 1, sent));
  auto b = spawn(send_and_note(q, 2, sent));
  auto c = spawn(send_and_note(q, 3, sent));
  auto d = spawn(send_and_note(q, 4, sent));
  co_await yield();
  EXPECT_TRUE(a.done());
  EXPECT_FALSE(b.done());
  c.cancel();
  co_await yield();
  EXPECT_THROW(co_await c, cancelled);
  EXPECT_EQ(q.try_receive(), 1);
  co_await b;
  EXPECT_EQ(q.try_receive(), 2);
  co_await d;
  EXPECT_EQ(q.try_receive(), 4);
  co_await a;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_put_with_waiting_getters) {
  typename Family::template channel<int> q(unbounded);
  auto t = spawn(receive_one(q));
  co_await yield();
  co_await q.send(1);
  EXPECT_EQ(co_await t, 1);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_why_are_putters_waiting) {
  typename Family::template channel<int> q(2);
  std::vector<int> sent;
  auto a = spawn(send_and_note(q, 0, sent));
  auto b = spawn(send_and_note(q, 1, sent));
  auto c = spawn(send_and_note(q, 2, sent));
  auto d = spawn(send_and_note(q, 3, sent));
  co_await yield();
  while (q.try_receive()) {
  }
  co_await a;
  co_await b;
  co_await c;
  co_await d;
  EXPECT_EQ(sent.size(), 4u);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_cancelled_puts_not_being_held_in_self_putters) {
  typename Family::template channel<int> q(1);
  std::vector<int> sent;
  q.try_send(1);
  auto putter = spawn(send_and_note(q, 2, sent));
  co_await sleep_for(10ms);
  putter.cancel();
  EXPECT_THROW(co_await putter, cancelled);
  EXPECT_EQ(q.try_receive(), 1);
  EXPECT_EQ(q.try_receive(), std::nullopt);
}

/// A channel whose items are counted until their work is done.
template <class Family, class Channel>
task<> work_through() {
  Channel q(unbounded);
  typename Family::wait_group unfinished;
  for (int i = 0; i < 100; ++i) {
    unfinished.add();
    q.try_send(std::move(i));
  }
  int accumulator = 0;
  auto worker = [&]() -> task<> {
    while (auto item = co_await q.receive()) {
      accumulator += *item;
      unfinished.done();
    }
  };
  auto a = spawn(worker());
  auto b = spawn(worker());
  co_await unfinished.wait();
  EXPECT_EQ(accumulator, 99 * 100 / 2);
  q.close();
  co_await a;
  co_await b;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_task_done) {
  auto fifo = work_through<Family, typename Family::template channel<int>>();
  co_await fifo;
  auto lifo = work_through<Family, typename Family::template lifo_channel<int>>();
  co_await lifo;
  auto priority = work_through<Family, typename Family::template priority_channel<int>>();
  co_await priority;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_task_done_underflow) {
  typename Family::wait_group unfinished;
  EXPECT_THROW(unfinished.done(), too_many_releases);
  co_return;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_join_empty_queue) {
  typename Family::wait_group unfinished;
  co_await unfinished.wait();
  co_await unfinished.wait();
}

template <class Channel>
task<> shut_down_empty() {
  Channel q(2);
  auto getter = spawn(receive_one(q));
  co_await yield();
  q.close();
  EXPECT_EQ(co_await getter, -1);
  EXPECT_EQ(co_await q.receive(), std::nullopt);
  EXPECT_THROW(co_await q.send(1), channel_closed);
  EXPECT_THROW(q.try_send(1), channel_closed);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_shutdown_empty) {
  auto fifo = shut_down_empty<typename Family::template channel<int>>();
  co_await fifo;
  auto lifo = shut_down_empty<typename Family::template lifo_channel<int>>();
  co_await lifo;
  auto priority = shut_down_empty<typename Family::template priority_channel<int>>();
  co_await priority;
}

template <class Channel>
task<> shut_down_nonempty(bool immediately) {
  Channel q(2);
  std::vector<int> sent;
  q.try_send(1);
  q.try_send(2);
  auto putter = spawn(send_and_note(q, 3, sent));
  co_await yield();
  immediately ? q.close_now() : q.close();
  EXPECT_THROW(co_await putter, channel_closed);
  std::size_t left = 0;
  while (auto item = co_await q.receive()) ++left;
  EXPECT_EQ(left, immediately ? 0u : 2u);
  EXPECT_THROW(co_await q.send(4), channel_closed);
  EXPECT_EQ(sent.size(), 0u);
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_shutdown_nonempty) {
  auto fifo = shut_down_nonempty<typename Family::template channel<int>>(false);
  co_await fifo;
  auto lifo = shut_down_nonempty<typename Family::template lifo_channel<int>>(false);
  co_await lifo;
  auto priority = shut_down_nonempty<typename Family::template priority_channel<int>>(false);
  co_await priority;
}

ASYNCIO_CASE_OF_BOTH(test_queues, test_shutdown_immediate) {
  auto fifo = shut_down_nonempty<typename Family::template channel<int>>(true);
  co_await fifo;
  auto lifo = shut_down_nonempty<typename Family::template lifo_channel<int>>(true);
  co_await lifo;
  auto priority = shut_down_nonempty<typename Family::template priority_channel<int>>(true);
  co_await priority;
}

}  // namespace
}  // namespace harrier::test
