// SPDX-License-Identifier: Apache-2.0
#include "command_line.hpp"

#include <harrier/version.hpp>

#include "batch_command.hpp"
#include "compare_command.hpp"
#include "exit_status.hpp"
#include "hash_command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <sstream>

namespace harrier::cli {

namespace {

constexpr const char* program_description =
    R"(Runs very many small coroutines over a few threads, without an event loop for each,
and prints the figures that prove it. `harrier COMMAND --help` says more.
)";

constexpr const char* program_footer = R"(Examples:
  harrier batch --coroutines 10M --workers 2
  harrier compare
  harrier hash /usr/include | sha256sum -c --quiet

Counts may be written 250000, 250k, 10M or 1e7. With --json every command prints one
JSON object on standard output and nothing else; errors go to standard error.

Exit status: 0 done, 1 something failed, 2 bad arguments, 124 --deadline came first,
130 interrupted, 141 standard output was closed.)";

class command_line {
 public:
  command_line() : program_(program_description, "harrier") {
    program_.set_version_flag("--version", "harrier " + std::string(version()),
                              "Print the version and exit");
    program_.set_help_flag("--help,-h", "Print this help and exit");
    program_.require_subcommand(1);
    program_.get_formatter()->column_width(30);
    program_.footer(program_footer);
    add_batch_command(program_, chosen_);
    add_compare_command(program_, chosen_);
    add_hash_command(program_, chosen_);
  }

  parsed_command parse(std::vector<std::string> arguments) {
    parsed_command result;
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    try {
      program_.parse(std::move(arguments));
      result.work = chosen_;
    } catch (const CLI::Success& wish) {
      std::ostringstream out;
      result.status = program_.exit(wish, out, out);
      result.text = out.str();
    } catch (const CLI::ParseError& error) {
      result.status = exit_usage;
      result.complaint = refusal(error);
    }
    return result;
  }

 private:
  std::string refusal(const CLI::ParseError& error) const {
    std::string command = "harrier";
    for (const auto* sub : program_.get_subcommands()) command += " " + sub->get_name();
    return command + ": " + complaint(error) + "\nTry '" + command + " --help'.\n";
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

parsed_command parse_command_line(std::vector<std::string> arguments) {
  return command_line().parse(std::move(arguments));
}

}  // namespace harrier::cli
