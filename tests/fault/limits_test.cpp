// SPDX-License-Identifier: Apache-2.0
// Limits that the system really sets: on memory (RLIMIT_AS) and on processor time (a cgroup's quota, also
// changed while a runtime works). Each in a child of this process.
#include <harrier/runtime.hpp>

#include "fault/child.hpp"

#include <sys/resource.h>

#include <array>
#include <iostream>
#include <optional>
#include <thread>

namespace harrier::test {
namespace {

// A sanitizer's shadow alone is larger than any limit.
#if HARRIER_TEST_SANITIZED == 0

std::size_t address_space_bytes() {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  return pages * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

bool leave_only(std::size_t bytes) {
  rlimit limit{};
  limit.rlim_cur = address_space_bytes() + bytes;
  limit.rlim_max = limit.rlim_cur;
  return ::setrlimit(RLIMIT_AS, &limit) == 0;
}

constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// EAGAIN for real: the stacks of 64 threads do not fit.
TEST(address_space, for_some_threads_only_gives_some_workers) {
  auto little = [] {
    {
      runtime rt(std::size_t{64});
      if (!leave_only(96 * mebibyte)) return false;
      auto op = rt.dispatch(10'000, [](std::uint64_t i) { return give(static_cast<int>(i)); });
      if (op.get()[9'999] != 9'999) return false;
      const runtime_metrics figures = rt.metrics();
      std::cout << "threads started: " << figures.threads_started << " of 64" << std::endl;
      if (figures.threads_started == 0 || figures.threads_started >= 64) return false;
      if (rt.run(give(7)) != 7 || !is_at_rest(rt)) return false;
    }
    return nothing_is_left();
  };
  EXPECT_EQ(in_a_child(little), 0);
}

TEST(address_space, that_has_no_room_for_the_results_refuses_the_batch_whole) {
  auto little = [] {
    {
      runtime rt(std::size_t{2});
      if (rt.run(give(1)) != 1 || !leave_only(128 * mebibyte)) return false;
      std::atomic<int> begun{0};
      auto item = [&](std::uint64_t i) -> task<std::uint64_t> {
        begun.fetch_add(1);
        co_return i;
      };
      try {
        rt.dispatch(100'000'000, item).wait();
        return false;
      } catch (const std::bad_alloc&) {  // 800 MB of results
      }
      if (begun.load() != 0) return false;
      if (rt.dispatch(1000, item).get()[999] != 999 || !is_at_rest(rt)) return false;
    }
    return nothing_is_left();
  };
  EXPECT_EQ(in_a_child(little), 0);
}

TEST(address_space, of_one_gibibyte_is_enough_for_a_million_tasks) {
  auto enough = [] {
    constexpr std::uint64_t tasks = 1'000'000;
    {
      runtime rt(std::size_t{2});
      if (!leave_only(1024 * mebibyte)) return false;
      std::atomic<std::uint64_t> ended{0};
      auto item = [&](std::uint64_t) -> task<> {
        co_await yield();
        ended.fetch_add(1);
      };
      rt.for_each(tasks, item).get();
      for (std::uint64_t each = 0; each < tasks; ++each) rt.spawn(item(each)).detach();
      if (!is_at_rest(rt) || ended.load() != 2 * tasks) return false;
    }
    return nothing_is_left();
  };
  EXPECT_EQ(in_a_child(enough), 0);
}

#endif

/// A cgroup of our own with a quota on processor time, version 1 or 2. The process that made it removes it.
class quota_group {
 public:
  quota_group() {
    const std::string name = "harrier_fault_" + std::to_string(::getpid());
    for (const std::string root : {"/sys/fs/cgroup/cpu/", "/sys/fs/cgroup/"}) {
      std::error_code refused;
      if (!std::filesystem::create_directory(root + name, refused)) continue;
      path_ = root + name + "/";
      is_first_version_ = std::filesystem::exists(path_ + "cpu.cfs_quota_us");
      if (is_first_version_ || std::filesystem::exists(path_ + "cpu.max")) return;
      remove();
    }
  }
  ~quota_group() { remove(); }
  quota_group(const quota_group&) = delete;
  quota_group& operator=(const quota_group&) = delete;

  bool exists() const { return !path_.empty(); }
  /// Takes the calling process in, with all threads that it makes.
  bool enter() const { return put("cgroup.procs", std::to_string(::getpid())); }
  /// So much of one processor.
  bool set_percent(int percent) const {
    const std::string quota = std::to_string(percent * 1000);
    return is_first_version_ ? put("cpu.cfs_quota_us", quota) : put("cpu.max", quota + " 100000");
  }

 private:
  bool put(const std::string& file, const std::string& text) const {
    std::ofstream to(path_ + file);
    to << text << std::flush;
    return to.good();
  }
  void remove() {
    if (path_.empty()) return;
    std::error_code nobody_cares;
    for (int look = 0; look < 1000; ++look) {  // its last process may be going
      if (std::filesystem::remove(path_.substr(0, path_.size() - 1), nobody_cares)) break;
      std::this_thread::sleep_for(1ms);
    }
    path_.clear();
  }

  std::string path_;
  bool is_first_version_ = false;
};

/// In a child inside a group with that quota; 0 also where no group can be made, which is said.
template <class F>
int with_quota(int percent, F f) {
  const quota_group group;
  if (!group.exists()) {
    std::cout << "nothing tested: no cgroup can be made here" << std::endl;
    return 0;
  }
  return in_a_child(
      [&] { return group.set_percent(percent) && group.enter() && f(group) && nothing_is_left(); });
}

TEST(cgroup_quota, of_half_a_processor_is_one_worker_and_enough) {
  const int status =
      with_quota(50, [](const quota_group&) { return default_workers() == 1 && works(); });
  EXPECT_EQ(status, 0);
}

TEST(cgroup_quota, of_a_tenth_is_enough_for_more_workers_than_that) {
  const int status = with_quota(10, [](const quota_group&) {
    runtime rt(std::size_t{4});
    auto op = rt.dispatch(1000, [](std::uint64_t i) { return give(static_cast<int>(i)); });
    return op.get()[999] == 999 && is_at_rest(rt);
  });
  EXPECT_EQ(status, 0);
}

TEST(cgroup_quota, may_change_while_a_runtime_works) {
  const int status = with_quota(200, [](const quota_group& group) {
    std::atomic<bool> over{false};
    std::atomic<std::uint64_t> ended{0};
    {
      runtime rt(std::size_t{3});
      std::thread submitter([&] {
        auto item = [&](std::uint64_t) -> task<> {
          co_await yield();
          ended.fetch_add(1);
        };
        while (!over.load()) rt.for_each(100, item).get();
      });
      bool all_set = true;
      for (const int percent : {5, 150, 10, 1, 200}) {
        all_set = all_set && group.set_percent(percent);
        const std::uint64_t before = ended.load();
        while (ended.load() == before)
          std::this_thread::sleep_for(1ms);  // it goes on, however slowly
      }
      over = true;
      submitter.join();
      if (!all_set || !is_at_rest(rt) || ended.load() % 100 != 0) return false;
    }
    return default_workers() >= 1;
  });
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace harrier::test
