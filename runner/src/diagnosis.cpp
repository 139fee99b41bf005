// SPDX-License-Identifier: Apache-2.0
#include <harrier/diagnosis.hpp>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <ostream>
#include <sstream>
#include <string_view>

namespace harrier {

task_diagnosis::task_diagnosis() noexcept = default;
task_diagnosis::~task_diagnosis() = default;
task_diagnosis::task_diagnosis(const task_diagnosis&) = default;
task_diagnosis::task_diagnosis(task_diagnosis&&) noexcept = default;
task_diagnosis& task_diagnosis::operator=(const task_diagnosis&) = default;
task_diagnosis& task_diagnosis::operator=(task_diagnosis&&) noexcept = default;

diagnosis::diagnosis() noexcept = default;
diagnosis::~diagnosis() = default;
diagnosis::diagnosis(const diagnosis&) = default;
diagnosis::diagnosis(diagnosis&&) noexcept = default;
diagnosis& diagnosis::operator=(const diagnosis&) = default;
diagnosis& diagnosis::operator=(diagnosis&&) noexcept = default;

namespace {

constexpr std::size_t most_in_full = 1000;

class label {
 public:
  label(const diagnosis& found, std::size_t index) noexcept : found_(found), index_(index) {}
  friend std::ostream& operator<<(std::ostream& out, const label& of) {
    const std::string& name = of.found_.tasks[of.index_].name;
    out << '#' << of.index_;
    return name.empty() ? out : out << " \"" << name << '"';
  }

 private:
  const diagnosis& found_;
  std::size_t index_;
};

void print_cycle(std::ostream& out, const diagnosis& found, const std::vector<std::size_t>& cycle) {
  out << "\n  a circle of waits, which never ends by itself: ";
  for (const std::size_t each : cycle) {
    out << label(found, each) << " -> ";
  }
  out << label(found, cycle.front());
}

void print_task(std::ostream& out, const diagnosis& found, std::size_t index) {
  const task_diagnosis& task = found.tasks[index];
  out << "\n  task " << label(found, index);
  if (task.worker) {
    out << ", worker " << *task.worker;
  }
  if (task.age) {
    out << ", " << std::chrono::duration<double>(*task.age).count() << " s old";
  }
  switch (task.state) {
    case task_state::runs:
      out << ", runs or is ready";
      break;
    case task_state::ends:
      out << ", ends";
      break;
    case task_state::waits:
      out << ", waits for " << task.waits_for;
      break;
  }
  for (const std::source_location& each : task.waits_at) {
    out << "\n    awaits at " << each.file_name() << ':' << each.line();
    // g++ 12 gives the inner name of the coroutine for some, which says nothing more than the line.
    if (const std::string_view function = each.function_name();
        function.find(".Frame") == std::string_view::npos) {
      out << ", in " << function;
    }
  }
  if (task.spawned_at) {
    out << "\n    spawned at " << task.spawned_at->file_name() << ':' << task.spawned_at->line();
  }
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const diagnosis& found) {
  // In one piece, so that what others write does not come between, and in our own number format.
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << found.tasks.size()
       << (found.tasks.size() == 1 ? " task" : " tasks");
  for (const std::vector<std::size_t>& each : found.cycles) {
    print_cycle(text, found, each);
  }
  const std::size_t shown = std::min(found.tasks.size(), most_in_full);
  for (std::size_t index = 0; index < shown; ++index) {
    print_task(text, found, index);
  }
  if (shown < found.tasks.size()) {
    text << "\n  and " << found.tasks.size() - shown << " more";
  }
  text << '\n';
  return out << text.str();
}

}  // namespace harrier
