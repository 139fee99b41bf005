// SPDX-License-Identifier: Apache-2.0
// What the tests of checkpoints share: a directory of their own, and files in it.
#pragma once

#include <harrier/checkpoint.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

namespace harrier::test {

/// A directory that is gone at the end of the scope.
class scratch_directory {
 public:
  scratch_directory() {
    std::string name = (std::filesystem::temp_directory_path() / "harrier-XXXXXX").string();
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    path_ = name;
  }
  scratch_directory(const scratch_directory&) = delete;
  scratch_directory& operator=(const scratch_directory&) = delete;
  ~scratch_directory() {
    std::error_code nobody_cares;
    std::filesystem::remove_all(path_, nobody_cares);
  }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  /// Of what is in it, in any order.
  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      found.push_back(entry.path().filename());
    }
    return found;
  }

 private:
  std::string path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

inline void put_content(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

inline index_set set_of(std::vector<index_range> ranges) {
  index_set all;
  all.insert(ranges);
  return all;
}

/// Only save() and the end write: nothing depends on time.
inline checkpoint_options by_hand() { return checkpoint_options().every(duration::zero()); }

/// Expects that `open` is refused for that reason, and gives the text of the refusal.
inline std::string expect_refused(checkpoint_refusal why, const std::function<void()>& open) {
  try {
    open();
  } catch (const checkpoint_error& error) {
    EXPECT_EQ(error.why(), why) << error.what();
    return error.what();
  }
  ADD_FAILURE() << "was not refused";
  return {};
}

}  // namespace harrier::test
