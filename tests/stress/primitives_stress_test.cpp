// SPDX-License-Identifier: Apache-2.0
// The primitives for all loops that sync_stress_test.cpp leaves out, each alone on four workers that
// fight for it, with cancels at any moment: one case for each, in a share of the time box.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace harrier::test {
namespace {

using crew = std::vector<join_handle<void>>;

constexpr std::uint64_t members = scaled<std::uint64_t>(24, 12);
constexpr std::uint64_t steps = scaled<std::uint64_t>(40, 15);

/// Cancels members of the crew at random and waits for all. Who swallows a cancel may end by another.
task<> pester_and_join(std::uint64_t seed, crew* all) {
  for (std::uint64_t n = 0; n < 2 * members; ++n) {
    (*all)[mix(seed, n) % all->size()].cancel();
    co_await yield();
  }
  for (join_handle<void>& each : *all) {
    try {
      co_await each;
    } catch (const cancelled&) {  // it was pestered to the last
    }
  }
}

/// What a receive gives, however many cancels come in between.
template <class From>
task<std::optional<std::uint64_t>> insist_on_item(From* from) {
  for (;;) {
    try {
      auto receiving = from->receive();
      auto item = co_await receiving;
      co_return item;
    } catch (const cancelled&) {  // it has missed nothing
    }
  }
}

/// A cancelled send has not sent.
template <class To>
task<> insist_on_sending(To* to, std::uint64_t item) {
  for (;;) {
    try {
      auto sending = to->send(item);
      co_await sending;
      co_return;
    } catch (const cancelled&) {
    }
  }
}

void shared_mutex_excludes(std::uint64_t seed) {
  runtime rt(4);
  shared_mutex m;
  std::uint64_t written = 0;  // guarded by m
  std::atomic<std::uint64_t> writes{0};
  std::atomic<int> readers{0};
  std::atomic<int> surprises{0};
  auto member = [&](std::uint64_t i) -> task<> {
    for (std::uint64_t n = 0; n < steps; ++n) {
      if (mix(seed + i, n) % 3 == 0) {
        auto guard = co_await m.lock();
        if (readers.load() != 0) ++surprises;
        ++written;
        ++writes;
      } else {
        auto guard = co_await m.lock_shared();
        ++readers;
        const std::uint64_t before = written;
        for (int look = 0; look < 10; ++look) {
          if (written != before) ++surprises;
        }
        --readers;
      }
    }
  };
  auto main = [&]() -> task<> {
    crew all;
    for (std::uint64_t i = 0; i < members; ++i) all.push_back(spawn(member(i)));
    auto rest = pester_and_join(seed, &all);
    co_await rest;
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
  EXPECT_EQ(written, writes.load());
  EXPECT_FALSE(m.is_locked());
  EXPECT_EQ(m.readers(), 0u);
}

// Without cancels: who is cancelled when its round has ended cannot know that it took part.
void barrier_parts_rounds(std::uint64_t) {
  constexpr std::uint64_t parties = 5;
  runtime rt(4);
  barrier b(parties);
  std::atomic<std::uint64_t> arrivals{0};
  std::atomic<std::uint64_t> places{0};
  std::atomic<std::uint64_t> broken{0};
  std::atomic<int> surprises{0};
  auto party = [&](bool stays) -> task<> {
    for (std::uint64_t round = 1; round <= steps; ++round) {
      ++arrivals;
      auto meeting = b.wait();
      const std::size_t place = co_await meeting;
      places += place;
      if (arrivals.load() < round * parties) ++surprises;
    }
    if (!stays) co_return;
    try {
      auto meeting = b.wait();
      co_await meeting;
      ++surprises;
    } catch (const broken_barrier&) {
      ++broken;
    }
  };
  auto main = [&]() -> task<> {
    crew all;
    for (std::uint64_t i = 0; i < parties; ++i) all.push_back(spawn(party(i % 2 == 0)));
    co_await all[1];
    b.abort();
    for (join_handle<void>& each : all) co_await each;
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
  EXPECT_EQ(places.load(), steps * parties * (parties - 1) / 2);
  EXPECT_EQ(broken.load(), 3u);
}

void latch_opens_once(std::uint64_t seed) {
  runtime rt(4);
  std::atomic<int> surprises{0};
  auto one_latch = [&](std::uint64_t n) -> task<> {
    latch opens(static_cast<std::ptrdiff_t>(members));
    std::array<std::uint64_t, members> wrote{};  // plain: the latch orders it
    auto member = [&](std::uint64_t i) -> task<> {
      wrote[i] = 1;
      auto others = opens.arrive_and_wait();
      co_await others;
      for (const std::uint64_t each : wrote) {
        if (each != 1) ++surprises;
      }
    };
    crew all;
    for (std::uint64_t i = 0; i < members; ++i) all.push_back(spawn(member(i)));
    // Of those who only wait some are cancelled; who has yet to arrive is not.
    auto waits = [&]() -> task<> {
      auto all_of_them = opens.wait();
      co_await all_of_them;
      for (const std::uint64_t each : wrote) {
        if (each != 1) ++surprises;
      }
    };
    crew waiters;
    for (int w = 0; w < 4; ++w) waiters.push_back(spawn(waits()));
    waiters[mix(seed, n) % waiters.size()].cancel();
    auto own = waits();
    co_await own;
    auto rest_of_waiters = pester_and_join(seed + n, &waiters);
    co_await rest_of_waiters;
    auto rest = pester_and_join(seed + n, &all);
    co_await rest;
  };
  auto main = [&]() -> task<> {
    for (std::uint64_t n = 0; n < steps / 4; ++n) {
      auto next = one_latch(n);
      co_await next;
    }
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
}

void wait_group_counts(std::uint64_t seed) {
  runtime rt(4);
  wait_group open;
  std::atomic<std::uint64_t> ended{0};
  std::atomic<int> surprises{0};
  auto work = [&](std::uint64_t i) -> task<> {
    if (mix(seed, i) % 2 == 0) co_await yield();
    ++ended;
    open.done();
  };
  auto waits = [&](std::uint64_t expected) -> task<> {
    auto all = open.wait();
    co_await all;
    if (ended.load() < expected) ++surprises;
  };
  auto main = [&]() -> task<> {
    for (std::uint64_t n = 1; n <= steps / 2; ++n) {
      open.add(static_cast<std::ptrdiff_t>(members));
      crew waiters;
      for (int w = 0; w < 4; ++w) waiters.push_back(spawn(waits(n * members)));
      for (std::uint64_t i = 0; i < members; ++i) spawn(work(i)).detach();
      if (mix(seed, n) % 2 == 0) waiters[mix(seed, n) % 4].cancel();
      auto own = waits(n * members);
      co_await own;
      for (join_handle<void>& each : waiters) {
        try {
          co_await each;
        } catch (const cancelled&) {  // the one above
        }
      }
    }
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
  EXPECT_EQ(open.count(), 0);
}

void once_flag_runs_once(std::uint64_t seed) {
  runtime rt(4);
  std::atomic<int> surprises{0};
  auto one_flag = [&](std::uint64_t n) -> task<> {
    once_flag once;
    int made = 0;  // written by the one who makes it, read by all who have seen it made
    std::atomic<int> attempts{0};
    auto make = [&]() -> task<> {
      if (++attempts % 3 == 1) throw boom();
      co_await yield();
      ++made;
    };
    auto member = [&]() -> task<> {
      try {
        auto call = once.call(make);
        co_await call;
        if (made != 1) ++surprises;
      } catch (const boom&) {  // the next one makes it
      }
    };
    crew all;
    for (std::uint64_t i = 0; i < members; ++i) all.push_back(spawn(member()));
    auto rest = pester_and_join(seed + n, &all);
    co_await rest;
    if (made > 1 || (made == 1) != once.is_done()) ++surprises;
  };
  auto main = [&]() -> task<> {
    for (std::uint64_t n = 0; n < steps / 4; ++n) {
      auto next = one_flag(n);
      co_await next;
    }
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
}

void broadcast_reaches_all_in_one_order(std::uint64_t seed) {
  constexpr std::uint64_t senders = 3;
  constexpr std::size_t listeners = 3;
  runtime rt(4);
  broadcast<std::uint64_t> news(static_cast<std::ptrdiff_t>(1 + seed % 4));
  std::array<std::vector<std::uint64_t>, listeners> heard;
  std::array<std::unique_ptr<broadcast<std::uint64_t>::subscription>, listeners> subscriptions;
  for (auto& each : subscriptions) {
    each = std::make_unique<broadcast<std::uint64_t>::subscription>(news);
  }
  auto send_all = [&](std::uint64_t sender) -> task<> {
    for (std::uint64_t n = 0; n < steps; ++n) {
      auto sent = insist_on_sending(&news, sender * steps + n);
      co_await sent;
    }
  };
  auto listen = [&](std::size_t at) -> task<> {
    for (;;) {
      auto receiving = insist_on_item(subscriptions[at].get());
      const auto item = co_await receiving;
      if (!item) break;
      heard[at].push_back(*item);
    }
  };
  auto main = [&]() -> task<> {
    crew receiving;
    crew sending;
    for (std::size_t at = 0; at < listeners; ++at) receiving.push_back(spawn(listen(at)));
    for (std::uint64_t s = 0; s < senders; ++s) sending.push_back(spawn(send_all(s)));
    auto sent = pester_and_join(seed, &sending);
    co_await sent;
    news.close();
    auto received = pester_and_join(seed + 1, &receiving);
    co_await received;
  };
  rt.run(main());
  // A member that was cancelled before its first step has done nothing.
  for (std::size_t at = 0; at < listeners; ++at) {
    for (std::size_t other = 0; other < listeners; ++other) {
      if (!heard[at].empty() && !heard[other].empty()) {
        EXPECT_EQ(heard[at], heard[other]);
      }
    }
    std::vector<std::uint64_t> sorted = heard[at];
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end());
  }
}

void oneshot_is_given_once(std::uint64_t seed) {
  runtime rt(4);
  std::atomic<int> surprises{0};
  auto one_shot = [&](std::uint64_t n) -> task<> {
    oneshot<std::uint64_t> shot;
    std::atomic<int> got{0};
    auto receive = [&]() -> task<> {
      auto receiving = shot.receive();
      const auto item = co_await receiving;
      if (item) ++got;
      if (item && *item != n) ++surprises;
    };
    auto send = [&]() -> task<> {
      shot.send(n);
      co_return;
    };
    crew receivers;
    for (int r = 0; r < 4; ++r) receivers.push_back(spawn(receive()));
    if (mix(seed, n) % 2 == 0) co_await yield();
    auto sender = spawn(send());
    receivers[mix(seed, n) % receivers.size()].cancel();
    co_await sender;
    for (join_handle<void>& each : receivers) {
      try {
        co_await each;
      } catch (const cancelled&) {  // the one above
      }
    }
    if (shot.try_receive()) ++got;  // handed back by the one that was cancelled
    if (got.load() != 1 || !shot.is_closed()) ++surprises;
  };
  auto main = [&]() -> task<> {
    for (std::uint64_t n = 0; n < steps; ++n) {
      auto next = one_shot(n);
      co_await next;
    }
  };
  rt.run(main());
  EXPECT_EQ(surprises.load(), 0);
}

template <class Channel>
void channel_keeps_every_item(std::uint64_t seed) {
  constexpr std::ptrdiff_t capacities[] = {0, 1, 5, unbounded};
  constexpr std::uint64_t senders = 4;
  runtime rt(4);
  Channel items(capacities[seed % 4]);
  std::vector<std::atomic<int>> sent(senders * steps);
  std::vector<std::atomic<int>> seen(senders * steps);
  auto send_all = [&](std::uint64_t sender) -> task<> {
    for (std::uint64_t n = 0; n < steps; ++n) {
      const std::uint64_t item = sender * steps + n;
      auto sending = insist_on_sending(&items, item);
      co_await sending;
      ++sent[item];
    }
  };
  auto receive_all = [&]() -> task<> {
    for (;;) {
      auto receiving = insist_on_item(&items);
      const auto item = co_await receiving;
      if (!item) break;
      ++seen[*item];
    }
  };
  auto main = [&]() -> task<> {
    crew receiving;
    crew sending;
    for (std::uint64_t s = 0; s < senders; ++s) {
      receiving.push_back(spawn(receive_all()));
      sending.push_back(spawn(send_all(s)));
    }
    auto last_receiver = spawn(receive_all());  // is not pestered: somebody receives whatever comes
    auto sent_all = pester_and_join(seed, &sending);
    co_await sent_all;
    items.close();
    auto received = pester_and_join(seed + 1, &receiving);
    co_await received;
    co_await last_receiver;
  };
  rt.run(main());
  while (auto left = items.try_receive()) ++seen[*left];  // handed back after the close
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(seen[i].load(), sent[i].load()) << "item " << i;
  }
}

/// A primitive and a round of it.
class contest {
 public:
  constexpr contest(const char* primitive, void (*play)(std::uint64_t)) noexcept
      : name(primitive), round(play) {}
  const char* name;
  void (*round)(std::uint64_t seed);
};

constexpr contest contests[] = {
    {"shared_mutex", shared_mutex_excludes},
    {"barrier", barrier_parts_rounds},
    {"latch", latch_opens_once},
    {"wait_group", wait_group_counts},
    {"once_flag", once_flag_runs_once},
    {"broadcast", broadcast_reaches_all_in_one_order},
    {"oneshot", oneshot_is_given_once},
    {"priority_channel", channel_keeps_every_item<priority_channel<std::uint64_t>>},
    {"lifo_channel", channel_keeps_every_item<lifo_channel<std::uint64_t>>},
};

class primitives_stress : public testing::TestWithParam<contest> {};

TEST_P(primitives_stress, on_four_workers) { stress(GetParam().round, 1.0 / std::size(contests)); }

INSTANTIATE_TEST_SUITE_P(all, primitives_stress, testing::ValuesIn(contests),
                         [](const auto& each) { return std::string(each.param.name); });

}  // namespace
}  // namespace harrier::test
