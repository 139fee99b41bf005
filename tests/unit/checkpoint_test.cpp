// SPDX-License-Identifier: Apache-2.0
// A checkpoint as its user sees it: what a later run goes on from, and what it refuses.
#include <harrier/checkpoint.hpp>

#include <harrier/detail/checkpoint_format.hpp>

#include "checkpoint_support.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace harrier::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

batch_identity squares() { return batch_identity("squares", 100).with_seed(1).with_fingerprint(2); }

/// Leaves a checkpoint at `path` in which 0, 1, 2 and 50 are finished.
void leave_some(const std::string& path, checkpoint_options options = by_hand()) {
  checkpoint kept(path, squares(), std::move(options));
  kept.finish({0, 3});
  kept.finish(50);
}

TEST(checkpoint, a_later_run_goes_on) {
  const scratch_directory scratch;
  {
    checkpoint kept(scratch / "c", squares(), by_hand());
    EXPECT_FALSE(kept.is_resumed());
    EXPECT_TRUE(kept.finished().empty());
  }
  leave_some(scratch / "c");
  checkpoint kept(scratch / "c", squares(), by_hand());
  EXPECT_TRUE(kept.is_resumed());
  EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(0, 3), index_range(50, 51)));
  EXPECT_EQ(kept.saves(), 0u);
  kept.save();
  EXPECT_EQ(kept.saves(), 0u) << "there was nothing new";
  kept.finish(3);
  kept.save();
  EXPECT_EQ(kept.saves(), 1u);
}

TEST(checkpoint, leaves_nothing_else_behind) {
  const scratch_directory scratch;
  leave_some(scratch / "c");
  EXPECT_THAT(scratch.names(), ElementsAre("c"));
}

TEST(checkpoint, a_link_to_it_stays_one) {
  const scratch_directory scratch;
  std::filesystem::create_directory(scratch / "elsewhere");
  leave_some(scratch / "elsewhere/c");
  std::filesystem::create_symlink("elsewhere/c", scratch / "link");
  checkpoint(scratch / "link", squares(), by_hand()).finish(77);
  EXPECT_TRUE(std::filesystem::is_symlink(scratch / "link"));
  EXPECT_TRUE(std::filesystem::is_regular_file(scratch / "elsewhere/c"));
}

// Its own thread saves: nobody else does here, and the process could be killed at the end.
TEST(checkpoint, is_saved_from_time_to_time) {
  const scratch_directory scratch;
  checkpoint kept(scratch / "c", squares(),
                  checkpoint_options().every(std::chrono::microseconds(50)));
  for (std::uint64_t i = 0; i < 3; ++i) {
    kept.finish(i);
    while (kept.saves() <= i) std::this_thread::yield();
  }
  EXPECT_THAT(detail::decode_checkpoint(content_of(scratch / "c"), "c").finished.ranges(),
              ElementsAre(index_range(0, 3)));
}

TEST(checkpoint, an_endless_interval_is_no_interval) {
  const scratch_directory scratch;
  checkpoint kept(scratch / "c", squares(), checkpoint_options().every(duration::max()));
  kept.finish(0);
  EXPECT_EQ(kept.saves(), 0u);
}

TEST(checkpoint, of_another_batch_is_refused) {
  const scratch_directory scratch;
  leave_some(scratch / "c");
  const std::string before = content_of(scratch / "c");
  const auto refused = [&](const batch_identity& of) {
    return expect_refused(checkpoint_refusal::other_batch,
                          [&] { checkpoint(scratch / "c", of, by_hand()); });
  };
  batch_identity other = squares();
  other.name = "cubes";
  EXPECT_THAT(refused(other), HasSubstr("its name is squares, not cubes"));
  other = squares();
  other.total = 101;
  EXPECT_THAT(refused(other), HasSubstr("its total is 100, not 101"));
  EXPECT_THAT(refused(squares().with_seed(7)), HasSubstr("its seed is 1, not 7"));
  EXPECT_THAT(refused(squares().with_fingerprint(7)), HasSubstr("its fingerprint is 2, not 7"));
  EXPECT_EQ(content_of(scratch / "c"), before);
}

TEST(checkpoint, that_is_damaged_or_cut_short_is_refused_and_left_as_it_is) {
  const scratch_directory scratch;
  leave_some(scratch / "c");
  const std::string bytes = content_of(scratch / "c");
  std::string flipped = bytes;
  flipped[30] = static_cast<char>(flipped[30] ^ 16);
  for (const std::string& broken : {flipped, bytes.substr(0, 70), std::string()}) {
    put_content(scratch / "c", broken);
    EXPECT_THROW(checkpoint(scratch / "c", squares(), by_hand()), checkpoint_error);
    EXPECT_EQ(content_of(scratch / "c"), broken);
  }
}

TEST(checkpoint, that_is_no_file_is_refused) {
  const scratch_directory scratch;
  EXPECT_THROW(checkpoint("/dev/full", squares(), by_hand()), std::exception);
  EXPECT_THROW(checkpoint(scratch / "", squares(), by_hand()), std::exception);
  EXPECT_THROW(checkpoint(scratch / "no/such/directory", squares(), by_hand()), std::system_error);
}

TEST(checkpoint, in_use_is_refused_with_the_owner) {
  const scratch_directory scratch;
  {
    const checkpoint kept(scratch / "c", squares(), by_hand());
    EXPECT_EQ(
        expect_refused(checkpoint_refusal::in_use,
                       [&] { checkpoint(scratch / "c", squares(), by_hand()); }),
        "checkpoint " + scratch / "c" + " is in use by process " + std::to_string(::getpid()));
  }
  const checkpoint kept(scratch / "c", squares(), by_hand());
  EXPECT_TRUE(kept.is_resumed());
}

// What a killed process leaves: its lock file, with nobody behind it.
TEST(checkpoint, a_lock_file_alone_refuses_nobody) {
  const scratch_directory scratch;
  put_content(scratch / "c.lock", "1\n");
  leave_some(scratch / "c");
  EXPECT_FALSE(std::filesystem::exists(scratch / "c.lock"));
}

TEST(checkpoint, an_item_that_is_none_is_refused) {
  const scratch_directory scratch;
  checkpoint kept(scratch / "c", squares(), by_hand());
  EXPECT_THROW(kept.finish(100), std::out_of_range);
  EXPECT_THROW(kept.finish(0, "text"), std::logic_error);
  EXPECT_TRUE(kept.finished().empty());
}

TEST(checkpoint, output_is_cut_back_to_what_was_saved) {
  const scratch_directory scratch;
  const auto options = [&] { return by_hand().with_output(scratch / "out"); };
  put_content(scratch / "out", "of an earlier run without a checkpoint");
  {
    checkpoint kept(scratch / "c", squares(), options());
    kept.finish(7, "seven\n");
    kept.finish(3, "three\n");
    kept.save();
    EXPECT_EQ(kept.output_bytes(), 12u);
  }
  EXPECT_EQ(content_of(scratch / "out"), "seven\nthree\n");
  put_content(scratch / "out", "seven\nthree\nfo");  // killed while it appended "four\n"
  checkpoint kept(scratch / "c", squares(), options());
  EXPECT_EQ(content_of(scratch / "out"), "seven\nthree\n");
  kept.finish(4, "four\n");
  kept.save();
  EXPECT_EQ(content_of(scratch / "out"), "seven\nthree\nfour\n");
}

TEST(checkpoint, without_its_output_is_refused) {
  const scratch_directory scratch;
  const auto options = [&] { return by_hand().with_output(scratch / "out"); };
  {
    checkpoint kept(scratch / "c", squares(), options());
    kept.finish(0, "zero\n");
  }
  const auto refused = [&](const checkpoint_options& with) {
    return expect_refused(checkpoint_refusal::other_output,
                          [&] { checkpoint(scratch / "c", squares(), with); });
  };
  EXPECT_THAT(refused(by_hand()), HasSubstr("with an output, and none was given"));
  for (const char* broken : {"zero", "Zero\n", ""}) {
    put_content(scratch / "out", broken);
    EXPECT_THAT(refused(options()), HasSubstr("its first 5 bytes are not what was written"));
    EXPECT_EQ(content_of(scratch / "out"), broken);
  }
  std::filesystem::remove(scratch / "out");
  EXPECT_THAT(refused(options()), HasSubstr("lost its output"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "out"));
}

/// No file may grow beyond so many bytes while it lives: to a program it is a disk that is full.
class full_disk {
 public:
  explicit full_disk(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit now = before_;
    now.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  full_disk(const full_disk&) = delete;
  full_disk& operator=(const full_disk&) = delete;
  ~full_disk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, before_handler_);
  }

 private:
  rlimit before_{};
  void (*before_handler_)(int) = ::signal(SIGXFSZ, SIG_IGN);
};

TEST(checkpoint, a_full_disk_is_reported_once_and_nothing_is_lost) {
  const scratch_directory scratch;
  std::vector<std::string> reports;
  const auto options = [&] {
    return by_hand().with_output(scratch / "out").on_error([&](const std::string& message) {
      reports.push_back(message);
    });
  };
  {
    checkpoint kept(scratch / "c", squares(), options());
    kept.finish(0, "zero\n");
    kept.save();
    const std::string saved = content_of(scratch / "c");
    kept.finish(1, "one\n");
    {
      const full_disk disk(7);  // room for half of the output
      EXPECT_THROW(kept.save(), std::system_error);
      kept.finish(2, "two\n");
      EXPECT_THROW(kept.save(), std::system_error);
    }
    {
      const full_disk disk(40);  // room for the output, not for the checkpoint
      EXPECT_THROW(kept.save(), std::system_error);
    }
    EXPECT_EQ(kept.failed_saves(), 3u);
    EXPECT_EQ(content_of(scratch / "c"), saved);
    EXPECT_FALSE(std::filesystem::exists(scratch / "c.tmp"));
    kept.finish(3, "three\n");
    kept.save();
    EXPECT_EQ(content_of(scratch / "out"), "zero\none\ntwo\nthree\n");
    EXPECT_TRUE(reports.empty());  // whoever called save() knows
  }
  {
    auto kept = std::make_unique<checkpoint>(scratch / "c", squares(), options());
    kept->finish(4, "four\n");
    const full_disk disk(7);
    kept.reset();  // cannot throw: it reports
  }
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_THAT(reports[0], HasSubstr("File too large"));
}

// Of an output with a line for each item, the newest of which counts.
TEST(checkpoint, a_new_output_takes_the_place_of_the_old_one) {
  const scratch_directory scratch;
  const auto options = [&] { return by_hand().with_output(scratch / "out"); };
  {
    put_content(scratch / "out.replacement", "of a checkpoint that was given up");
    checkpoint kept(scratch / "c", squares(), options());
    kept.finish(0, "zero\n");
    kept.finish(1, "one\n");
    kept.finish(2, "two\n");
    kept.replace_output([&](const checkpoint::output_sink& append) {
      EXPECT_EQ(content_of(scratch / "out"), "zero\none\ntwo\n")
          << "what was finished is saved first";
      append("two\n");
      append("five\n");
      return set_of({{2, 3}, {5, 6}});
    });
    EXPECT_EQ(content_of(scratch / "out"), "two\nfive\n");
    EXPECT_EQ(kept.output_bytes(), 9u);
    EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(2, 3), index_range(5, 6)));
    kept.finish(0, "zero\n");
  }
  EXPECT_THAT(scratch.names(), UnorderedElementsAre("c", "out"));
  const checkpoint kept(scratch / "c", squares(), options());
  EXPECT_EQ(content_of(scratch / "out"), "two\nfive\nzero\n");
  EXPECT_THAT(kept.finished().ranges(),
              ElementsAre(index_range(0, 1), index_range(2, 3), index_range(5, 6)));
}

TEST(checkpoint, a_new_output_that_does_not_come_about_leaves_the_old_one) {
  const scratch_directory scratch;
  checkpoint kept(scratch / "c", squares(), by_hand().with_output(scratch / "out"));
  kept.finish(0, "zero\n");
  kept.save();
  const std::string saved = content_of(scratch / "c");
  const auto stays = [&](const std::string& output) {
    EXPECT_EQ(content_of(scratch / "c"), saved);
    EXPECT_EQ(content_of(scratch / "out"), output);
    EXPECT_FALSE(std::filesystem::exists(scratch / "out.replacement"));
  };
  EXPECT_THROW(kept.replace_output([](const checkpoint::output_sink& append) -> index_set {
    append("one\n");
    throw std::runtime_error("cannot be read");
  }),
               std::runtime_error);
  stays("zero\n");
  EXPECT_THROW(
      kept.replace_output([](const checkpoint::output_sink&) { return set_of({{100, 101}}); }),
      std::out_of_range);
  stays("zero\n");
  {
    const full_disk disk(7);
    EXPECT_THROW(kept.replace_output([](const checkpoint::output_sink& append) {
      append("twelve bytes");
      return set_of({{1, 2}});
    }),
                 std::system_error);
    stays("zero\n");
  }
  EXPECT_THROW(kept.replace_output([&](const checkpoint::output_sink&) {
    kept.finish(7, "seven\n");
    return set_of({{1, 2}});
  }),
               std::logic_error);
  stays("zero\n");
  kept.save();
  EXPECT_EQ(content_of(scratch / "out"), "zero\nseven\n");
  EXPECT_THAT(kept.finished().ranges(), ElementsAre(index_range(0, 1), index_range(7, 8)));
  checkpoint without(scratch / "other", squares(), by_hand());
  EXPECT_THROW(without.replace_output([](const checkpoint::output_sink&) { return index_set(); }),
               std::logic_error);
}

// What processes leave that are killed while they replace the output; tests/fault kills them.
TEST(checkpoint, a_new_output_counts_when_the_checkpoint_is_of_it) {
  const scratch_directory scratch;
  const auto options = [&] { return by_hand().with_output(scratch / "out"); };
  const auto open = [&] { return checkpoint(scratch / "c", squares(), options()).finished(); };
  std::string before;
  {
    checkpoint kept(scratch / "c", squares(), options());
    kept.finish({0, 2}, "zero\none\n");
    kept.save();
    before = content_of(scratch / "c");
    kept.replace_output([](const checkpoint::output_sink& append) {
      append("two\n");
      return set_of({{2, 3}});
    });
  }
  const std::string after = content_of(scratch / "c");
  const auto leave = [&](const std::string& kept, const std::string& beside) {
    put_content(scratch / "c", kept);
    put_content(scratch / "out", "zero\none\n");
    put_content(scratch / "out.replacement", beside);
  };
  leave(before, "tw");
  EXPECT_THAT(open().ranges(), ElementsAre(index_range(0, 2)));
  EXPECT_EQ(content_of(scratch / "out"), "zero\none\n");
  EXPECT_THAT(scratch.names(), UnorderedElementsAre("c", "out"));

  leave(after, "two\n");
  EXPECT_THAT(open().ranges(), ElementsAre(index_range(2, 3)));
  EXPECT_EQ(content_of(scratch / "out"), "two\n");
  EXPECT_THAT(scratch.names(), UnorderedElementsAre("c", "out"));

  leave(after, "twO\n");  // damaged
  EXPECT_THAT(expect_refused(checkpoint_refusal::other_output, open),
              HasSubstr("its first 4 bytes are not what was written"));
  EXPECT_EQ(content_of(scratch / "c"), after);
  EXPECT_EQ(content_of(scratch / "out"), "zero\none\n");
  EXPECT_EQ(content_of(scratch / "out.replacement"), "twO\n");
}

}  // namespace
}  // namespace harrier::test
