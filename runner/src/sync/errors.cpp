// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/errors.hpp>

#include <string>

namespace harrier {

foreign_loop::foreign_loop(const char* what)
    : std::logic_error(std::string(what) +
                       " was used on another loop than its own: only the family without local_ may"
                       " be") {}

invalid_count::invalid_count(const char* what) : std::invalid_argument(what) {}

not_locked::not_locked(const char* what)
    : std::logic_error(std::string(what) + ": the mutex is not locked") {}

too_many_releases::too_many_releases(const char* what) : std::logic_error(what) {}

broken_barrier::broken_barrier() : std::runtime_error("barrier is broken") {}

channel_closed::channel_closed() : std::runtime_error("channel is closed") {}

}  // namespace harrier
