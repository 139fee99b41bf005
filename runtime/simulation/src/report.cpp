// SPDX-License-Identifier: Apache-2.0
// Who waits for what, when nothing is left to run.
#include <harrier/detail/examination.hpp>
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

void describe_task(std::string& text, const diagnosis& found, std::size_t index) {
  const task_diagnosis& task = found.tasks[index];
  text += "\n    task #" + std::to_string(index);
  text += task.name.empty() ? " without a name" : " \"" + task.name + "\"";
  if (task.state == task_state::waits) {
    text += " waits for " + task.waits_for;
  }
  for (const std::source_location& each : task.waits_at) {
    text += std::string("\n      awaits at ") + file_name(each.file_name()) + ":" +
            std::to_string(each.line()) + ", in " + each.function_name();
  }
}

void describe_cycle(std::string& text, const diagnosis& found,
                    const std::vector<std::size_t>& cycle) {
  text += "\n  a circle of waits, which never ends by itself:";
  for (std::size_t i = 0; i <= cycle.size(); ++i) {
    const std::size_t at = cycle[i % cycle.size()];
    text += (i == 0 ? " #" : " -> #") + std::to_string(at);
    if (!found.tasks[at].name.empty()) {
      text += " \"" + found.tasks[at].name + "\"";
    }
  }
}

}  // namespace

/// Of all loops together. `worker` is the number of the thread that runs the loop.
diagnosis scheduler::examine_loops() {
  detail::examination all;
  for (auto each = threads_.rbegin(); each != threads_.rend(); ++each) {
    detail::execution* at = (*each)->fiber.execution();
    if ((*each)->state != virtual_thread::status::ended && at != nullptr && at->loop != nullptr) {
      const detail::running_scope as_its_thread(*at);  // its lists are open to it
      at->loop->live().for_each(
          [&](detail::task_record& record) { all.add(record, (*each)->number); });
    }
  }
  return all.conclude();
}

std::string scheduler::report(outcome how) {
  std::string text = how == outcome::deadlock ? "nothing left to run:" : "it goes on for ever:";
  const diagnosis found = how == outcome::deadlock ? examine_loops() : diagnosis();
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
    for (std::size_t index = 0; index < found.tasks.size(); ++index) {
      if (found.tasks[index].worker == each->number) {
        describe_task(text, found, index);
      }
    }
  }
  for (const std::vector<std::size_t>& each : found.cycles) {
    describe_cycle(text, found, each);
  }
  return text;
}

}  // namespace harrier::simulated
