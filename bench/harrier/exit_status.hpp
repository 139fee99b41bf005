// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace harrier::cli {

/// What the program returns; `harrier --help` lists the same for users.
inline constexpr int exit_success = 0;
inline constexpr int exit_failure = 1;
inline constexpr int exit_usage = 2;
/// What `timeout` returns when it had to end its program.
inline constexpr int exit_deadline = 124;
/// What a shell shows for a program that died of SIGINT: 128 + 2.
inline constexpr int exit_interrupted = 130;
/// What a shell shows for a program that died of SIGPIPE: 128 + 13.
inline constexpr int exit_closed_pipe = 141;

}  // namespace harrier::cli
