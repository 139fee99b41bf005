// SPDX-License-Identifier: Apache-2.0
// The `harrier` program: what the library does, on real input, with figures.
#include <harrier/version.hpp>

#include "batch_command.hpp"
#include "compare_command.hpp"
#include "exit_status.hpp"
#include "hash_command.hpp"
#include "standard_streams.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <functional>
#include <new>
#include <string>

namespace {

using namespace harrier::cli;

constexpr const char* description =
    R"(Runs very many small coroutines over a few threads, without an event loop for each,
and prints the figures that prove it. `harrier COMMAND --help` says more.
)";

constexpr const char* footer = R"(Examples:
  harrier batch --coroutines 10M --workers 2
  harrier compare
  harrier hash /usr/include | sha256sum -c --quiet

Counts may be written 250000, 250k, 10M or 1e7. With --json every command prints one
JSON object on standard output and nothing else; errors go to standard error.

Exit status: 0 done, 1 something failed, 2 bad arguments, 124 --deadline came first,
130 interrupted, 141 standard output was closed.)";

class command_line {
 public:
  command_line() : program_(description, "harrier") {
    program_.set_version_flag("--version", "harrier " + std::string(harrier::version()),
                              "Print the version and exit");
    program_.set_help_flag("--help,-h", "Print this help and exit");
    program_.require_subcommand(1);
    program_.get_formatter()->column_width(30);
    program_.footer(footer);
    add_batch_command(program_, chosen_);
    add_compare_command(program_, chosen_);
    add_hash_command(program_, chosen_);
  }

  int run(int argc, char** argv) {
    try {
      program_.parse(argc, argv);
    } catch (const CLI::Success& wish) {
      return program_.exit(wish);
    } catch (const CLI::ParseError& error) {
      return refuse(error);
    }
    return chosen_();
  }

 private:
  int refuse(const CLI::ParseError& error) {
    std::string command = "harrier";
    for (const auto* sub : program_.get_subcommands()) command += " " + sub->get_name();
    std::fprintf(stderr, "%s: %s\nTry '%s --help'.\n", command.c_str(), complaint(error).c_str(),
                 command.c_str());
    return exit_usage;
  }

  // A word that nothing takes is the likelier mistake than what is then found missing.
  std::string complaint(const CLI::ParseError& error) const {
    const auto unknown = program_.remaining(true);
    const bool has_command = !program_.get_subcommands().empty();
    if (unknown.empty()) return has_command ? error.what() : "a command is needed";
    const bool is_command = !has_command && !unknown.front().starts_with('-');
    return (is_command ? "no command '" : "unexpected argument '") + unknown.front() + "'";
  }

  CLI::App program_;
  std::function<int()> chosen_;
};

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  try {
    return command_line().run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("harrier: out of memory; --coroutines needs 8 bytes each for the results\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "harrier: %s\n", error.what());
  }
  return exit_failure;
}
