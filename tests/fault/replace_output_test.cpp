// SPDX-License-Identifier: Apache-2.0
// checkpoint::replace_output() with each of its system calls at fault in turn: the process is killed
// there, or the call fails. Whoever opens the checkpoint next finds the old output or the new one, whole,
// with its items.
#include <harrier/checkpoint.hpp>

#include "fault/child.hpp"
#include "unit/checkpoint_support.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <gmock/gmock.h>

#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <system_error>

namespace harrier::test {
namespace {

/// What happens to the calls below. One at a time.
class call_fault {
 public:
  enum class kind { kill, fail, fail_from_here_on };
  call_fault(int call, kind how) {
    calls_.clear();
    calls_left_ = call;
    how_ = how;
  }
  call_fault(const call_fault&) = delete;
  call_fault& operator=(const call_fault&) = delete;
  ~call_fault() { calls_left_ = 0; }

  static std::string calls() { return calls_; }
  static bool strikes(const char* call) {
    if (calls_left_ != 0) calls_ += std::string(calls_.empty() ? "" : " ") + call;
    if (calls_left_ > 1) {
      --calls_left_;
      return false;
    }
    if (calls_left_ == 0) return false;
    if (how_ == kind::kill) ::kill(::getpid(), SIGKILL);
    calls_left_ = how_ == kind::fail_from_here_on ? 1 : 0;
    errno = ENOSPC;
    return true;
  }

 private:
  inline static std::string calls_;  // of the last fault, by name, up to it
  inline static int calls_left_ = 0;  // 0: none is at fault
  inline static kind how_ = kind::kill;
};

template <class Call, class... Arguments>
auto call_next(const char* name, Arguments... arguments) {
  return reinterpret_cast<Call*>(::dlsym(RTLD_NEXT, name))(arguments...);
}

}  // namespace
}  // namespace harrier::test

// In the place of those of the C library, for a shared library of ours as well.
#pragma GCC visibility push(default)
extern "C" {
int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const auto mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : mode_t{0};
  va_end(rest);
  if (harrier::test::call_fault::strikes("open")) return -1;
  return harrier::test::call_next<int(const char*, int, ...)>("open", path, flags, mode);
}
ssize_t pwrite(int fd, const void* from, size_t bytes, off_t at) {
  if (harrier::test::call_fault::strikes("pwrite")) return -1;
  return harrier::test::call_next<ssize_t(int, const void*, size_t, off_t)>("pwrite", fd, from,
                                                                            bytes, at);
}
int ftruncate(int fd, off_t bytes) noexcept {
  if (harrier::test::call_fault::strikes("ftruncate")) return -1;
  return harrier::test::call_next<int(int, off_t)>("ftruncate", fd, bytes);
}
int fsync(int fd) {
  if (harrier::test::call_fault::strikes("fsync")) return -1;
  return harrier::test::call_next<int(int)>("fsync", fd);
}
int fdatasync(int fd) {
  if (harrier::test::call_fault::strikes("fdatasync")) return -1;
  return harrier::test::call_next<int(int)>("fdatasync", fd);
}
int rename(const char* from, const char* to) noexcept {
  if (harrier::test::call_fault::strikes("rename")) return -1;
  return harrier::test::call_next<int(const char*, const char*)>("rename", from, to);
}
}
#pragma GCC visibility pop

namespace harrier::test {
namespace {

using kind = call_fault::kind;
using testing::AnyOf;

/// A checkpoint whose output is replaced: 0 and 1 by 2.
class replaced_checkpoint {
 public:
  const std::string old_state = "zero\none\n of 2";
  const std::string new_state = "two\n of 1";

  replaced_checkpoint() { open().finish({0, 2}, "zero\none\n"); }

  checkpoint open() const {
    return checkpoint(scratch_ / "c", batch_identity("lines", 10),
                      by_hand().with_output(scratch_ / "out").on_error([](const std::string&) {}));
  }
  /// With the call at fault.
  static void replace(checkpoint& kept, int call, kind how) {
    const call_fault fault(call, how);
    kept.replace_output([](const checkpoint::output_sink& append) {
      append("two\n");
      return set_of({{2, 3}});
    });
  }
  /// What the next process finds. Nothing but the checkpoint and its output is left then.
  std::string state() const {
    const checkpoint kept = open();
    EXPECT_FALSE(std::filesystem::exists(scratch_ / "out.replacement"));
    return content_of(scratch_ / "out") + " of " + std::to_string(kept.finished().size());
  }

 private:
  scratch_directory scratch_;
};

bool fails(const replaced_checkpoint& test, checkpoint& kept, int call, kind how) {
  try {
    test.replace(kept, call, how);
  } catch (const std::system_error&) {
    return true;
  }
  return false;
}

// What a loss of power needs, which no killed process shows: name and content of the new output are on
// disk before the checkpoint is of it, and the new checkpoint is before the old output goes.
TEST(replace_output, syncs_each_step_before_the_next) {
  const replaced_checkpoint test;
  checkpoint kept = test.open();
  test.replace(kept, 1000, kind::fail);
  EXPECT_EQ(call_fault::calls(),
            "open open fsync ftruncate pwrite fdatasync "  // file, directory; its content
            "open pwrite fsync rename open fsync "  // the checkpoint, its directory
            "rename");
}

TEST(replace_output, killed_at_any_call_leaves_the_old_or_the_new) {
  int of_old = 0;
  int of_new = 0;
  int status = -1;
  for (int call = 1; status != 0; ++call) {
    SCOPED_TRACE(call);
    const replaced_checkpoint test;
    status = in_a_child([&] {
      checkpoint kept = test.open();
      test.replace(kept, call, kind::kill);
      return true;
    });
    ASSERT_THAT(status, AnyOf(0, 128 + SIGKILL));
    const std::string state = test.state();
    ASSERT_THAT(state, AnyOf(test.old_state, test.new_state));
    ++(state == test.old_state ? of_old : of_new);
    ASSERT_EQ(test.state(), state) << "and so it stays";
  }
  EXPECT_GE(of_old, 8);
  EXPECT_GE(of_new, 3);  // one of them of a run that was not killed
}

// A disk that is full for one call or for all that follow, until the replacing has failed.
TEST(replace_output, that_fails_at_any_call_goes_on_with_the_old) {
  for (const kind how : {kind::fail, kind::fail_from_here_on}) {
    bool has_failed = true;
    for (int call = 1; has_failed; ++call) {
      SCOPED_TRACE(call);
      const replaced_checkpoint test;
      {
        checkpoint kept = test.open();
        has_failed = fails(test, kept, call, how);
        kept.finish(9, "nine\n");
      }
      ASSERT_EQ(test.state(), has_failed ? "zero\none\nnine\n of 3" : "two\nnine\n of 2");
    }
  }
}

// As above, and nothing is written any more: neither a save nor the end of the process puts it right.
TEST(replace_output, that_fails_in_a_process_that_dies_leaves_the_old_or_the_new) {
  for (const kind how : {kind::fail, kind::fail_from_here_on}) {
    int status = 1;
    for (int call = 1; status == 1; ++call) {
      SCOPED_TRACE(call);
      const replaced_checkpoint test;
      status = in_a_child([&] {
        checkpoint kept = test.open();
        ::_exit(fails(test, kept, call, how) ? 1 : 0);
        return true;
      });
      ASSERT_THAT(test.state(), AnyOf(test.old_state, test.new_state));
    }
    EXPECT_EQ(status, 0);
  }
}

// The first attempt fails at or just before the replacing of the checkpoint, and cannot be undone: what it
// left is what the second one must not spoil.
TEST(replace_output, tried_again_after_a_failure_and_killed) {
  for (int failing = 10; failing <= 13; ++failing) {
    for (int killing = 1; killing <= 14; ++killing) {
      SCOPED_TRACE(failing);
      SCOPED_TRACE(killing);
      const replaced_checkpoint test;
      in_a_child([&] {
        checkpoint kept = test.open();
        fails(test, kept, failing, kind::fail_from_here_on);
        test.replace(kept, killing, kind::kill);
        return true;
      });
      ASSERT_THAT(test.state(), AnyOf(test.old_state, test.new_state));
    }
  }
}

}  // namespace
}  // namespace harrier::test
