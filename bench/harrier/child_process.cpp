// SPDX-License-Identifier: Apache-2.0
#include "child_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

extern char** environ;

namespace harrier::cli {

namespace {

void require(bool ok, int error, const char* call) {
  if (!ok) throw std::system_error(error, std::generic_category(), call);
}

class owned_fd {
 public:
  explicit owned_fd(int fd) noexcept : fd_(fd) {}
  owned_fd(const owned_fd&) = delete;
  owned_fd& operator=(const owned_fd&) = delete;
  ~owned_fd() { reset(); }
  int get() const noexcept { return fd_; }
  void reset() noexcept {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// A file in memory, not a pipe: the child may read it late, in part or never.
int file_holding(std::string_view text) {
  const int fd = ::memfd_create("stdin", MFD_CLOEXEC);
  require(fd >= 0, errno, "memfd_create");
  while (!text.empty()) {
    const auto written = ::write(fd, text.data(), text.size());
    require(written > 0, errno, "write");
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

::pid_t start(const std::vector<std::string>& command, int input, int output) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
  ::pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  require(error == 0, error, command.front().c_str());
  return child;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

int wait_for_exit(::pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

child_result run_program(const std::vector<std::string>& command, std::string_view input) {
  const owned_fd input_file(file_holding(input));
  std::array<int, 2> ends{};
  require(::pipe2(ends.data(), O_CLOEXEC) == 0, errno, "pipe2");
  const owned_fd read_end(ends[0]);
  owned_fd write_end(ends[1]);
  const auto child = start(command, input_file.get(), write_end.get());
  write_end.reset();
  child_result result;
  result.output = read_all(read_end.get());
  result.exit_status = wait_for_exit(child);
  return result;
}

}  // namespace harrier::cli
