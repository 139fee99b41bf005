// SPDX-License-Identifier: Apache-2.0
// What sits in frames: over-aligned locals, large frames, lambda captures, thread-locals read again
// after each suspension; and stacks that stay flat without tail calls (this file runs at -O0 too).
#include <harrier/runtime.hpp>

#include "unit/support.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <thread>

namespace harrier::test {
namespace {

template <std::size_t Alignment>
struct alignas(Alignment) aligned {
  aligned() { std::memset(bytes, 0x5a, sizeof bytes); }
  bool intact() const {
    for (const unsigned char byte : bytes) {
      if (byte != 0x5a) return false;
    }
    return reinterpret_cast<std::uintptr_t>(this) % Alignment == 0;
  }
  unsigned char bytes[Alignment];
};

template <std::size_t Alignment>
task<bool> local_stays_aligned() {
  aligned<Alignment> first;
  const bool before = first.intact();
  co_await yield();
  aligned<Alignment> second;
  co_await give(1);
  co_return before&& first.intact() && second.intact();
}

TEST(shapes_frames, locals_of_16_32_and_64_bytes_alignment) {
  EXPECT_TRUE(run(local_stays_aligned<16>()));
  EXPECT_TRUE(run(local_stays_aligned<32>()));
  EXPECT_TRUE(run(local_stays_aligned<64>()));
}

TEST(shapes_frames, over_aligned_locals_in_a_batch_with_recycled_frames) {
  runtime rt(std::size_t{2});
  auto b = rt.dispatch(1000, [](std::uint64_t) { return local_stays_aligned<64>(); });
  for (const bool ok : b.get()) ASSERT_TRUE(ok);
}

template <std::size_t Bytes>
task<std::size_t> large_frame() {
  std::array<unsigned char, Bytes> bytes;
  bytes.fill(0x11);
  co_await yield();
  std::size_t sum = 0;
  for (const unsigned char byte : bytes) sum += byte;
  co_return sum;
}

TEST(shapes_frames, of_many_sizes) {
  EXPECT_EQ(run(large_frame<1>()), 0x11u);
  EXPECT_EQ(run(large_frame<100>()), 0x11u * 100);
  EXPECT_EQ(run(large_frame<1000>()), 0x11u * 1000);
  EXPECT_EQ(run(large_frame<10'000>()), 0x11u * 10'000);
  EXPECT_EQ(run(large_frame<1'000'000>()), 0x11u * 1'000'000);
}

// The captures of a lambda coroutine live in the lambda, which must outlive the coroutine: it does
// when it is named before, or when the library stores it as a factory.
TEST(shapes_frames, captures_of_a_named_lambda) {
  const std::string text(100, 'c');
  auto body = [text]() -> task<std::size_t> {
    co_await yield();
    co_return text.size();
  };
  EXPECT_EQ(run(body()), 100u);
}

TEST(shapes_frames, parameters_instead_of_captures) {
  auto start = [] {
    return [](std::string text) -> task<std::size_t> {
      co_await yield();
      co_return text.size();
    }(std::string(100, 'p'));
  };
  EXPECT_EQ(run(start()), 100u);
}

[[gnu::noinline]] int& errno_of_this_thread() { return errno; }

// errno is a thread-local: read through a function after each suspension, never kept across one.
TEST(shapes_frames, thread_locals_are_read_again_after_a_suspension) {
  runtime rt(std::size_t{4});
  auto body = [](std::uint64_t i) -> task<bool> {
    bool right = true;
    for (int k = 0; k < 3; ++k) {
      errno_of_this_thread() = static_cast<int>(i);
      right = right && errno_of_this_thread() == static_cast<int>(i);
      const auto id = this_worker::id();
      co_await yield();
      right = right && id.has_value() && this_worker::id().has_value();
    }
    co_return right;
  };
  auto b = rt.dispatch(2000, body);
  for (const bool right : b.get()) ASSERT_TRUE(right);
}

task<long> count(int levels) {
  if (levels == 0) co_return 0;
  auto child = count(levels - 1);
  const long below = co_await child;
  co_return below + 1;
}

task<long> loop(int rounds) {
  long sum = 0;
  for (int i = 0; i < rounds; ++i) {
    auto child = give(1);
    sum += co_await child;
  }
  co_return sum;
}

TEST(shapes_frames, a_million_ready_awaits_and_a_million_nested_ones) {
  EXPECT_EQ(run(loop(1'000'000)), 1'000'000);
  EXPECT_EQ(run(count(1'000'000)), 1'000'000);
}

TEST(shapes_frames, the_same_on_a_worker) {
  runtime rt(std::size_t{1});
  EXPECT_EQ(rt.run(loop(1'000'000)), 1'000'000);
  EXPECT_EQ(rt.run(count(1'000'000)), 1'000'000);
}

TEST(shapes_frames, exception_and_suspension_in_every_kind_of_scope) {
  auto main = []() -> task<std::string> {
    std::string order;
    for (int i = 0; i < 3; ++i) {
      try {
        co_await yield();
        if (i == 1) throw boom();
        order += 'a';
      } catch (const boom&) {
        order += 'b';
      }
      co_await yield();
    }
    switch (order.size()) {
      case 3: {
        co_await yield();
        order += 'c';
        break;
      }
      default:
        break;
    }
    co_return order;
  };
  EXPECT_EQ(run(main()), "abac");
}

}  // namespace
}  // namespace harrier::test
