// SPDX-License-Identifier: Apache-2.0
// What the doctor finds: every live task, what it waits for, and who waits in a circle.
#pragma once

#include <harrier/clock.hpp>
#include <harrier/detail/config.hpp>

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

namespace harrier {

enum class task_state : std::uint8_t {
  runs,  ///< runs, is ready to, or has not started
  waits,
  ends,  ///< a wait that was cancelled, and is being ended; or it has ended meanwhile
};

/// One task as it was when somebody looked.
class HARRIER_EXPORT task_diagnosis {
 public:
  task_diagnosis() noexcept;
  ~task_diagnosis();
  task_diagnosis(const task_diagnosis&);
  task_diagnosis(task_diagnosis&&) noexcept;
  task_diagnosis& operator=(const task_diagnosis&);
  task_diagnosis& operator=(task_diagnosis&&) noexcept;

  std::string name;  ///< "" without one
  task_state state = task_state::runs;
  /// Whose live tasks it is among; nothing: of a lone runner, or no worker has it yet.
  std::optional<std::size_t> worker;
  /// Where it waits: the co_await of each of its coroutines, innermost first, at most 16.
  std::vector<std::source_location> waits_at;
  std::string waits_for;  ///< in words
  /// The tasks that it waits for, as far as they are known: to end, or to unlock. Indices of
  /// diagnosis::tasks.
  std::vector<std::size_t> waits_on;
  /// Whether the wait can end without all of `waits_on`.
  bool has_other_ways = false;
  std::optional<time_point> due;  ///< a sleep: until when, by the clock of its loop
  std::optional<std::source_location> spawned_at;  ///< known in debug mode, for what was spawned
  std::optional<duration> age;  ///< since it was spawned: known if it has a name, or in debug mode
};

/// Every task that was run or spawned and has not ended, every batch item that has suspended or asked
/// for itself, and every forked child that was stolen and has done so.
class HARRIER_EXPORT diagnosis {
 public:
  diagnosis() noexcept;
  ~diagnosis();
  diagnosis(const diagnosis&);
  diagnosis(diagnosis&&) noexcept;
  diagnosis& operator=(const diagnosis&);
  diagnosis& operator=(diagnosis&&) noexcept;

  std::vector<task_diagnosis> tasks;
  /// Of each circle its tasks, each of which waits for the next, and the last for the first: by itself
  /// it never ends. Indices. All of a circle waited at the same moment.
  std::vector<std::vector<std::size_t>> cycles;
};

/// As text: the circles first; at most a thousand tasks in full.
HARRIER_EXPORT std::ostream& operator<<(std::ostream& out, const diagnosis& found);

}  // namespace harrier
