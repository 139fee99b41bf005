// SPDX-License-Identifier: Apache-2.0
// An array that grows by pages: its content stays, refused memory changes nothing, and room that nobody
// has written to takes none.
#include <harrier/detail/growing_array.hpp>

#include "unit/support.hpp"

#include <cstdint>
#include <fstream>
#include <new>

namespace harrier::test {
namespace {

using detail::growing_array;

void fill(growing_array<std::uint64_t>& array, std::uint64_t to) {
  for (std::uint64_t i = array.size(); i < to; ++i) {
    array.push_back(i);
  }
}

std::uint64_t count_wrong(growing_array<std::uint64_t>& array) {
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < array.size(); ++i) {
    wrong += array[i] != i ? 1 : 0;
  }
  return wrong;
}

TEST(growing_array, keeps_its_content_while_it_grows_and_shrinks) {
  constexpr std::uint64_t many = 300'000;
  growing_array<std::uint64_t> array;
  fill(array, many);
  EXPECT_EQ(array.size(), many);
  EXPECT_EQ(count_wrong(array), 0u);
  for (const std::uint64_t left : {100'000u, 8192u, 8191u, 100u, 1u}) {
    while (array.size() > left) {
      array.pop_back();
    }
    array.shrink_to_fit();
    EXPECT_EQ(array.capacity(), left);
    EXPECT_EQ(count_wrong(array), 0u);
  }
  fill(array, many);
  EXPECT_EQ(count_wrong(array), 0u);
}

TEST(growing_array, gives_everything_back_when_it_is_empty) {
  growing_array<std::uint64_t> array;
  fill(array, 100'000);
  while (!array.empty()) {
    array.pop_back();
  }
  array.shrink_to_fit();
  EXPECT_EQ(array.capacity(), 0u);
  fill(array, 10);
  EXPECT_EQ(count_wrong(array), 0u);
}

TEST(growing_array, appends_an_element_of_its_own) {
  growing_array<std::uint64_t> array;
  array.push_back(7);
  while (array.size() != array.capacity()) {
    array.push_back(array[0]);
  }
  array.push_back(array[0]);
  EXPECT_EQ(array.back(), 7u);
}

TEST(growing_array, is_unchanged_when_memory_is_refused) {
  for (const std::uint64_t full :
       {std::uint64_t{8}, std::uint64_t{4096}, std::uint64_t{8192}, std::uint64_t{16384}}) {
    growing_array<std::uint64_t> array;
    fill(array, full);
    ASSERT_EQ(array.capacity(), full);
    detail::allocator_fault.store([]() noexcept { return true; });
    EXPECT_THROW(array.push_back(full), std::bad_alloc);
    detail::allocator_fault.store(nullptr);
    EXPECT_EQ(array.size(), full);
    EXPECT_EQ(count_wrong(array), 0u);
    array.push_back(full);
    EXPECT_EQ(count_wrong(array), 0u);
  }
}

#if !defined(HARRIER_SANITIZED)
std::uint64_t resident_pages() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident;
}

TEST(growing_array, takes_no_memory_but_for_what_is_in_it) {
  constexpr std::uint64_t entries =
      (std::uint64_t{1} << 21) + 1;  // one more than fits the size before
  const std::uint64_t before = resident_pages();
  growing_array<std::uint64_t> array;
  fill(array, entries);
  EXPECT_LE((resident_pages() - before) * 4096, entries * sizeof(std::uint64_t) + (1u << 20));
}
#endif

}  // namespace
}  // namespace harrier::test
