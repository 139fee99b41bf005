// SPDX-License-Identifier: Apache-2.0
// The `harrier` program: what the library does, on real input, with figures.
#include "command_line.hpp"
#include "exit_status.hpp"
#include "standard_streams.hpp"

#include <cstdio>
#include <exception>
#include <new>

namespace {

using namespace harrier::cli;

int run(int argc, char** argv) {
  const auto asked = parse_command_line({argv + (argc > 0 ? 1 : 0), argv + argc});
  if (asked.work) return asked.work();
  std::fputs(asked.text.c_str(), stdout);
  std::fputs(asked.complaint.c_str(), stderr);
  return asked.status;
}

}  // namespace

int main(int argc, char** argv) {
  occupy_standard_streams();
  try {
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    std::fputs("harrier: out of memory; --coroutines needs 8 bytes each for the results\n", stderr);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "harrier: %s\n", error.what());
  }
  return exit_failure;
}
