// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/runner.hpp>

#include <cstddef>
#include <optional>

/// The worker of a runtime that runs the calling code.
namespace harrier::this_worker {

/// Its number, from 0; empty on a thread that is no worker. It may change across a `co_await`. Spare
/// workers (runtime_options::spare_workers) come after the others: it is below the sum of the two.
HARRIER_EXPORT std::optional<std::size_t> id() noexcept;

/// Its runner: the one loop of that worker, made when its first work arrived. Throws
/// no_running_loop on a thread that is no worker.
HARRIER_EXPORT harrier::runner& runner();

}  // namespace harrier::this_worker
