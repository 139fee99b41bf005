// SPDX-License-Identifier: Apache-2.0
// Batches of every shape on four workers, with cancels and pauses at any moment. What must hold: an
// item comes out at most once, and exactly once if nobody cut the batch short; no more than the window
// is under way; whatever ended the batch, everything that started has ended when it is done.
#include <harrier/runtime.hpp>

#include "stress/support.hpp"

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace harrier::test {
namespace {

constexpr std::uint64_t items = scaled<std::uint64_t>(3000, 600);

/// Counts the items that are under way, and how many there were at most.
class presence {
 public:
  class guard {
   public:
    explicit guard(presence& of) noexcept : of_(of) {
      const long now = of_.inside_.fetch_add(1) + 1;
      long most = of_.most_.load();
      while (now > most && !of_.most_.compare_exchange_weak(most, now)) {
      }
    }
    ~guard() { of_.inside_.fetch_sub(1); }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

   private:
    presence& of_;
  };
  guard enter() noexcept { return guard(*this); }
  long inside() const noexcept { return inside_.load(); }
  long most() const noexcept { return most_.load(); }

 private:
  std::atomic<long> inside_{0};
  std::atomic<long> most_{0};
};

/// Indices that are only to be had one after the other. At `failing` it throws.
class one_by_one {
 public:
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = std::uint64_t;
    explicit iterator(one_by_one& of) noexcept : of_(&of) {}
    std::uint64_t operator*() const {
      if (of_->next_ == of_->failing_) throw boom("input");
      return of_->next_;
    }
    iterator& operator++() noexcept {
      ++of_->next_;
      return *this;
    }
    void operator++(int) noexcept { ++*this; }
    bool operator==(std::default_sentinel_t) const noexcept { return of_->next_ == of_->end_; }

   private:
    one_by_one* of_;
  };
  explicit one_by_one(std::uint64_t end, std::uint64_t failing = ~std::uint64_t{0}) noexcept
      : end_(end), failing_(failing) {}
  iterator begin() noexcept { return iterator(*this); }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  std::uint64_t next_ = 0;  // one worker at a time
  std::uint64_t end_;
  std::uint64_t failing_;
};

/// The same, awaited.
async_generator<std::uint64_t> one_after_the_other(std::uint64_t end, std::uint64_t failing,
                                                   std::uint64_t random) {
  for (std::uint64_t i = 0; i < end; ++i) {
    if (mix(random, i) % 16 == 0) co_await yield();
    if (i == failing) throw boom("input");
    co_yield i;
  }
}

task<> send_all(channel<std::uint64_t>* to, std::uint64_t end) {
  try {
    for (std::uint64_t i = 0; i < end; ++i) co_await to->send(i);
    to->close();
  } catch (const channel_closed&) {  // the batch ended earlier
  }
}

task<> dawdle(std::uint64_t random) {
  for (std::uint64_t turn = 0; turn < random % 4; ++turn) co_await yield();
  if (random / 8 % 8 == 0) co_await sleep_for(std::chrono::microseconds(random / 64 % 100));
}

dispatch_options options_for(std::uint64_t seed) {
  constexpr std::uint64_t windows[] = {0, 1, 2, 7, 64, 500};
  dispatch_options options;
  options.with_seed(seed);
  if (const std::uint64_t window = windows[seed % std::size(windows)]; window != 0) {
    options.with_window(window);
  }
  if (seed / 8 % 2 == 0) {
    options.with_retry(retry_policy().attempts(3).backoff(10us).jitter(0.5).on<boom>());
  }
  return options;
}

/// What one stream, read in a coroutine, must keep.
class stream_round {
 public:
  stream_round(runtime& rt, std::uint64_t seed)
      : rt_(rt), seed_(seed), is_cut_short_(mix(seed, 1) % 3 == 0), seen_(items) {}

  void run() {
    auto first = [this](std::uint64_t i, batch_item item) { return work(i, item); };
    const dispatch_options options = options_for(mix(seed_, 2));
    one_by_one pulled(items);
    auto stream = mix(seed_, 3) % 2 == 0 ? rt_.stream(items, first, options)
                                         : rt_.stream(pulled, first, options);
    if (mix(seed_, 4) % 2 == 0) {
      auto second = [this](std::uint64_t i) { return pass_on(i); };
      auto piped = std::move(stream) | then(second, options_for(mix(seed_, 5)));
      read_all(std::move(piped));
    } else {
      read_all(std::move(stream));
      const std::uint64_t most = options.window != 0 ? options.window : items;
      EXPECT_LE(presence_.most(), static_cast<long>(most));
    }
    EXPECT_EQ(presence_.inside(), 0);
  }

 private:
  task<std::uint64_t> work(std::uint64_t i, batch_item item) {
    const auto here = presence_.enter();
    const std::uint64_t random = item.seed();
    auto some = dawdle(random);
    co_await some;
    if (item.attempt == 1 && random / 1024 % 16 == 0) {
      if (rt_retries()) throw boom("once");
    }
    co_return i;
  }
  task<std::uint64_t> pass_on(std::uint64_t i) {
    const auto here = later_.enter();
    auto some = dawdle(mix(seed_, i));
    co_await some;
    co_return i;
  }
  bool rt_retries() const { return mix(seed_, 2) / 8 % 2 == 0; }

  void read_all(batch_stream<std::uint64_t> stream) {
    auto reading = rt_.spawn(read(&stream));
    if (mix(seed_, 6) % 2 == 0) {
      stream.pause();
      rt_.run(give(1));
      stream.resume();
    }
    reading.get();
    stream.wait();
    EXPECT_EQ(later_.inside(), 0);
    for (const int times : seen_) {
      if (is_cut_short_ ? times > 1 : times != 1) {
        ADD_FAILURE() << "an item came " << times << " times";
        return;
      }
    }
  }

  task<> read(batch_stream<std::uint64_t>* stream) {
    const std::uint64_t last = is_cut_short_ ? mix(seed_, 7) % items : items + 1;
    try {
      for (std::uint64_t taken = 0;; ++taken) {
        if (taken == last && mix(seed_, 8) % 2 == 0) stream->cancel();
        if (taken == last && mix(seed_, 8) % 2 != 0) stream->drop_unstarted();
        auto next = stream->next();
        auto item = co_await next;
        if (!item) co_return;
        ++seen_[item->index];
        EXPECT_EQ(item->value, item->index);
        if (mix(seed_, taken + 9) % 8 == 0) co_await yield();
      }
    } catch (const cancelled&) {
      EXPECT_TRUE(is_cut_short_);
    }
  }

  runtime& rt_;
  const std::uint64_t seed_;
  const bool is_cut_short_;
  presence presence_;
  presence later_;
  std::vector<int> seen_;  // the reader's
};

TEST(batch_stress, streams_lose_and_double_nothing) {
  stress([](std::uint64_t seed) {
    runtime rt(std::size_t{4});
    std::vector<std::unique_ptr<stream_round>> rounds;
    for (std::uint64_t k = 0; k < 3; ++k) {
      rounds.push_back(std::make_unique<stream_round>(rt, mix(seed, k)));
    }
    for (auto& each : rounds) each->run();
  });
}

// Inputs that throw, items that fail, and cancels from outside.
class ending_round {
 public:
  ending_round(runtime& rt, std::uint64_t random)
      : rt_(rt),
        random_(random),
        fatal_(random % (2 * items)),
        input_failing_(random / 8192 % (2 * items)),
        is_cancelled_(random % 5 == 0) {}

  void run() {
    auto body = [this](std::uint64_t i) { return work(i); };
    const dispatch_options options =
        options_for(random_ / 3).with_retry(retry_policy().attempts(1));
    const auto sum = ordered_reduction(std::uint64_t{0}, std::plus<>());
    switch (mix(random_, 1) % 3) {
      case 0: {
        one_by_one input(items, input_failing_);
        return judge(rt_.reduce(input, body, sum, options));
      }
      case 1: {
        auto input = one_after_the_other(items, input_failing_, random_);
        return judge(rt_.reduce(std::move(input), body, sum, options));
      }
      default: {
        input_failing_ = items;
        channel<std::uint64_t> input(static_cast<std::ptrdiff_t>(random_ / 64 % 9));
        auto sender = rt_.spawn(send_all(&input, items));
        judge(rt_.reduce(input, body, reduction(std::uint64_t{0}, std::plus<>()), options));
        input.close();
        sender.get();
      }
    }
  }

 private:
  task<std::uint64_t> work(std::uint64_t i) {
    const auto inside = here_.enter();
    auto some = dawdle(mix(random_, i));
    co_await some;
    if (i == fatal_) throw boom("item");
    sum_.fetch_add(i);
    co_return i;
  }

  void judge(batch_reduction<std::uint64_t> all) {
    if (is_cancelled_) {
      rt_.run(give(1));
      all.cancel();
    }
    all.wait();
    ASSERT_EQ(here_.inside(), 0);
    try {
      const std::uint64_t value = all.get();
      ASSERT_EQ(value, sum_.load());
      ASSERT_EQ(value, (items - 1) * items / 2);
    } catch (const boom&) {
      ASSERT_LT(fatal_, items);
    } catch (const batch_input_failed& e) {
      ASSERT_EQ(e.position(), input_failing_);
    } catch (const run_cancelled&) {
      ASSERT_TRUE(is_cancelled_);
    }
    const batch_counts counts = all.counts();
    ASSERT_LE(counts.completed + counts.failed, counts.started);
  }

  runtime& rt_;
  const std::uint64_t random_;
  const std::uint64_t fatal_;
  std::uint64_t input_failing_;
  const bool is_cancelled_;
  presence here_;
  std::atomic<std::uint64_t> sum_{0};
};

TEST(batch_stress, whatever_ends_a_batch_what_has_started_is_joined) {
  stress([](std::uint64_t seed) {
    runtime rt(std::size_t{4});
    for (std::uint64_t k = 0; k < 8; ++k) ending_round(rt, mix(seed, k)).run();
  });
}

}  // namespace
}  // namespace harrier::test
