// SPDX-License-Identifier: Apache-2.0
// Who waits for what, when nothing is left to run.
#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>

#include "scheduler.hpp"

#include <cstring>

namespace harrier::simulated {

namespace {

std::string label(const virtual_thread& thread) {
  std::string text = "thread " + std::to_string(thread.number);
  if (thread.name[0] != '\0') {
    text += std::string(" (") + thread.name.data() + ")";
  } else if (thread.number == 0) {
    text += " (the body)";
  }
  return text;
}

const char* file_name(const char* path) noexcept {
  const char* slash = std::strrchr(path, '/');
  return slash != nullptr ? slash + 1 : path;
}

/// The suspended co_awaits of a task, innermost first.
void describe_chain(std::string& text, detail::promise_base* innermost) {
  for (detail::promise_base* each = innermost; each != nullptr;) {
    if (each->result == detail::result_kind::error ||
        each->result == detail::result_kind::taken_error) {
      return;
    }
    text += std::string("\n      awaits at ") + file_name(each->site.file_name()) + ":" +
            std::to_string(each->site.line()) + ", in " + each->site.function_name();
    each = each->started_as == detail::role::awaited && each->continuation
               ? &std::coroutine_handle<detail::promise_base>::from_address(
                      each->continuation.address())
                      .promise()
               : nullptr;
  }
}

}  // namespace

void scheduler::describe_loop(std::string& text, detail::execution& at) {
  const detail::running_scope as_its_thread(at);  // its lists are open to it
  at.loop->live().for_each([&](detail::task_record& record) {
    const std::string name = record.name();
    text += "\n    task " + (name.empty() ? std::string("without a name") : "\"" + name + "\"");
    const std::uint32_t state = record.state.load();
    if (detail::task_record::phase_of(state) == detail::task_record::waiting &&
        record.wait != nullptr && record.wait->waiter) {
      describe_chain(text, &std::coroutine_handle<detail::promise_base>::from_address(
                                record.wait->waiter.address())
                                .promise());
    } else if (record.root != nullptr) {
      describe_chain(text, record.root);
    }
  });
}

std::string scheduler::report(outcome how) {
  std::string text = how == outcome::deadlock ? "nothing left to run:" : "it goes on for ever:";
  for (const std::unique_ptr<virtual_thread>& each : threads_) {
    if (each->state == virtual_thread::status::ended) {
      continue;
    }
    text += "\n  " + label(*each);
    if (each->state == virtual_thread::status::ready) {
      text += " runs";
    } else {
      text += std::string(" waits in ") + each->call;
      if (const virtual_thread* holder_of_it = holder(each->address)) {
        text += ", held by " + label(*holder_of_it);
      } else if (const virtual_thread* joined = find(each->address)) {
        text += " of " + label(*joined);
      }
    }
    detail::execution* at = each->fiber.execution();
    if (how == outcome::deadlock && at != nullptr && at->loop != nullptr) {
      describe_loop(text, *at);
    }
  }
  return text;
}

}  // namespace harrier::simulated
