// SPDX-License-Identifier: Apache-2.0
// How a diagnosis is made while tasks run: first everybody is written down, with a reference each, by
// whoever holds the lists of live tasks; then each is looked at by itself, without the lists.
//
// Threads     any. Tasks that run are not stopped; those that wait are held for the look (held_wait).
// Cost        for each task two allocations or so. A task that ends meanwhile is destroyed here.
// A circle    is found among looks at different moments, in which it may never have been. So all of its
//             tasks are then held at once, and only if each still waits for the next is it told.
// Rejected    stopping the workers for the look: a worker that is stuck in a step never stops.
#pragma once

#include <harrier/detail/config.hpp>
#include <harrier/detail/task_record.hpp>
#include <harrier/detail/wait_facts.hpp>
#include <harrier/diagnosis.hpp>
#include <harrier/task_ref.hpp>

#include <cstddef>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT examination {
 public:
  examination() noexcept;
  examination(const examination&) = delete;
  examination& operator=(const examination&) = delete;
  ~examination();

  /// Somebody holds the list, or queue, that the record is in. Throws std::bad_alloc.
  void add(task_record& record, std::optional<std::size_t> worker);
  /// Looks at each. Once. Throws std::bad_alloc.
  diagnosis conclude();

 private:
  struct patient {
    task_ref task;
    // what a wait may know it by, besides the record; not to be followed
    const void* root;
    const void* batch;  ///< of an item
    std::optional<std::size_t> worker;
  };

  void look_at(std::size_t index, diagnosis& found) const;
  /// Whom a wait is on, by index.
  std::vector<std::size_t> resolve(const wait_facts& facts) const;
  bool is_true(std::span<const std::size_t> cycle) const;

  std::vector<patient> patients_;
  std::unordered_map<const void*, std::vector<std::size_t>> by_address_;
};

/// A loop's tasks are among others that are looked at together.
struct wider_view {
  explicit wider_view(void (*adds)(wider_view& self, examination& to)) noexcept : add_all(adds) {}
  /// Any thread. Throws std::bad_alloc.
  void (*add_all)(wider_view& self, examination& to);
};

/// What a dump says that a signal has asked for.
inline constexpr const char* asked_by_signal = "a signal asks what the tasks wait for";
HARRIER_EXPORT std::string in_seconds(duration time);

/// The places where the coroutines of a chain wait, innermost first. The chain does not move meanwhile.
HARRIER_EXPORT std::vector<std::source_location> await_sites(const suspension& leaf);

}  // namespace harrier::detail
