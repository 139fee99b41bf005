// SPDX-License-Identifier: Apache-2.0
// The reference model: what a task may come to, whoever runs when. It follows the steps one after the
// other, as one thread would; where the order of things decides, it keeps all that is possible.
#include "specification.hpp"

#include <algorithm>

namespace harrier::fuzz {

namespace {

constexpr std::int64_t caught = 7;  // what a step is worth whose failure was caught

prospect value_between(std::int64_t least, std::int64_t most) {
  prospect made;
  made.least = least;
  made.most = most;
  return made;
}

std::int64_t sum_below(std::int64_t count) { return count * (count - 1) / 2; }

bool can_throw(const prospect& of) {
  return of.failures.any() || of.cancelled || of.refused || !of.with_value;
}

/// What `first` and then `second` come to.
prospect sequence(const prospect& first, const prospect& second) {
  if (!first.with_value) return first;
  prospect both = second;
  both.least += first.least;
  both.most += first.most;
  both.failures |= first.failures;
  both.cancelled = both.cancelled || first.cancelled;
  both.refused = both.refused || first.refused;
  return both;
}

/// `of`, or a value: where something else may come in its place.
prospect or_value(prospect of, std::int64_t value) {
  of.least = of.with_value ? std::min(of.least, value) : value;
  of.most = of.with_value ? std::max(of.most, value) : value;
  of.with_value = true;
  return of;
}

prospect with_failures_caught(prospect of) {
  if (of.failures.none()) return of;
  of.failures.reset();
  return or_value(of, caught);
}

class model {
 public:
  explicit model(bool stops) : stops_(stops) {}

  prospect of_task(task_specification& task, bool can_be_cancelled) {
    task.can_be_cancelled = can_be_cancelled || stops_ || task.is_target;
    prospect sum = value_between(0, 0);
    for (step& each : task.steps) {
      prospect next = of_step(task, each);
      next.cancelled = next.cancelled || task.can_be_cancelled;
      next.refused = next.refused || stops_;
      sum = sequence(sum, next);
    }
    sum.cancelled = sum.cancelled || task.can_be_cancelled;  // before its first step
    return task.expected = sum;
  }

 private:
  prospect of_step(task_specification& task, step& at) {
    const bool cancelled = task.can_be_cancelled;
    const auto some = static_cast<std::int64_t>(at.some);
    switch (at.what) {
      case action::yield:
      case action::nap:
      case action::lock:
      case action::permit:
      case action::close:
      case action::cancel:
      case action::move:
        return value_between(1, 1);
      case action::send:
      case action::receive:
        return value_between(1, 3);  // done, too late, closed
      case action::limit:
        return value_between(at.more == 0 ? 2 : 1, 2);
      case action::pipe:
        return value_between(sum_below(some), sum_below(some));
      case action::offload:
        return value_between(some * some, some * some);
      case action::call:
        return caught_or_not(at, of_task(*at.children[0], cancelled));
      case action::limited_call:
        return of_limited_call(at, cancelled);
      case action::start:
        of_task(*at.children[0], cancelled);
        return value_between(1, 1);
      case action::join:
        return caught_or_not(at, at.target->expected);
      case action::fork:
        return of_fork(at, cancelled);
      case action::group:
        return of_group(at, cancelled);
      case action::batch:
        return of_batch(task, at);
      case action::fail:
        return failure_of(task);
    }
    return {};
  }

  static prospect caught_or_not(const step& at, const prospect& of) {
    return at.catches ? with_failures_caught(of) : of;
  }

  static prospect failure_of(const task_specification& task) {
    prospect made;
    made.with_value = false;
    made.failures.set(task.number);
    return made;
  }

  /// Whether a cancel comes out is asked of the child as it is without the limit, whose own is caught.
  prospect of_limited_call(step& at, bool cancelled) {
    const bool passes_cancel = of_task(*at.children[0], cancelled).cancelled;
    prospect limited = or_value(of_task(*at.children[0], true), 2);
    limited.cancelled = passes_cancel;
    return limited;
  }

  /// The second child runs in the parent; if it throws, the first is cancelled and waited for.
  prospect of_fork(step& at, bool cancelled) {
    const prospect second = of_task(*at.children[1], cancelled);
    const bool drops = can_throw(second);
    const bool passes_cancel = of_task(*at.children[0], cancelled).cancelled;
    prospect first = of_task(*at.children[0], cancelled || drops);
    first.cancelled = passes_cancel;  // one that was dropped is not asked
    prospect both = sequence(second, first);
    if (!second.with_value) both = second;
    return both;
  }

  prospect of_group(step& at, bool cancelled) {
    const bool fails = of_task(*at.children[0], cancelled).failures.any() ||
                       of_task(*at.children[1], cancelled).failures.any();
    const bool must = !at.children[0]->expected.with_value && !at.children[0]->expected.cancelled;
    for (const auto& child : at.children) of_task(*child, cancelled || fails);
    return value_between(must ? 4 : 3, fails || stops_ ? 4 : 3);
  }

  static prospect of_batch(const task_specification& task, const step& at) {
    const auto items = static_cast<std::int64_t>(at.some);
    if (at.more < at.some) return failure_of(task);
    return value_between(sum_below(items), sum_below(items));
  }

  bool stops_;
};

}  // namespace

void predict(program& of) {
  model all(of.stops);
  for (const auto& each : of.roots) all.of_task(*each, false);
}

}  // namespace harrier::fuzz
