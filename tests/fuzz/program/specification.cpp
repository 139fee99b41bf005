// SPDX-License-Identifier: Apache-2.0
#include "specification.hpp"

#include <utility>

namespace harrier::fuzz {

namespace {

constexpr unsigned most_steps = 6;
constexpr unsigned most_moves = 8;
constexpr int deepest = 3;

template <class Enum>
Enum one_of(input& from) {
  return static_cast<Enum>(from.below(static_cast<unsigned>(Enum::last) + 1));
}

std::size_t children_of(action what) {
  switch (what) {
    case action::call:
    case action::limited_call:
    case action::start:
      return 1;
    case action::fork:
    case action::group:
      return 2;
    default:
      return 0;
  }
}

batch_specification make_batch(input& from) {
  batch_specification made;
  made.form = one_of<batch_form>(from);
  made.items = from.below(16);
  made.turns = from.below(4);
  made.failing = static_cast<unsigned>(from.number(2));
  made.failures = from.below(4);
  made.retries = from.below(3);
  made.window = from.below(5);
  made.tolerated = from.below(16);
  made.route = from.below(4);
  made.meanwhile = one_of<interference>(from);
  return made;
}

}  // namespace

program::program(input& from)
    : seed(from.number(4)),
      workers(1 + from.below(3)),
      queue_limit(from.below(4)),
      arena(from.below(4) == 1) {
  for (unsigned left = 1 + from.below(4); left != 0; --left) {
    roots.push_back(make_task(from, 0));
  }
  const std::size_t ordinary_threads = 1 + from.below(2);
  for (std::size_t each = 0; each < ordinary_threads; ++each) {
    make_thread(from);
  }
}

std::unique_ptr<task_specification> program::make_task(input& from, int depth) {
  auto made = std::make_unique<task_specification>();
  made->number = tasks.size();
  tasks.push_back(made.get());
  std::vector<task_specification*> started;
  const unsigned steps = made->number < most_tasks ? from.below(most_steps + 1) : 0;
  for (unsigned left = steps; left != 0; --left) {
    make_step(from, depth, *made, started);
  }
  return made;
}

void program::make_step(input& from, int depth, task_specification& of,
                        std::vector<task_specification*>& started) {
  step made;
  made.what = one_of<action>(from);
  made.some = from.byte();
  made.more = made.some / 16;
  made.some %= 16;
  made.catches = made.more % 2 != 0;
  const std::size_t children = children_of(made.what);
  const bool has_target = made.what == action::join || made.what == action::cancel;
  if (depth == deepest || tasks.size() + children > most_tasks || (has_target && started.empty())) {
    if (children != 0 || has_target) made.what = action::yield;
  }
  if (made.what == action::join) {
    made.target = started.front();
    started.erase(started.begin());
  } else if (made.what == action::cancel) {
    made.target = started.back();
    made.target->is_target = true;
  } else {
    for (std::size_t left = children_of(made.what); left != 0; --left) {
      made.children.push_back(make_task(from, depth + 1));
    }
    if (made.what == action::start) started.push_back(made.children.front().get());
  }
  of.steps.push_back(std::move(made));
}

void program::make_thread(input& from) {
  std::vector<ordinary_step> made;
  for (unsigned left = from.below(most_moves + 1); left != 0; --left) {
    ordinary_step next;
    next.what = one_of<move>(from);
    next.some = from.byte();
    next.root = next.some % roots.size();
    if (next.what == move::batch) next.batch = make_batch(from);
    if (next.what == move::cancel) roots[next.root]->is_target = true;
    stops = stops || next.what == move::stop;
    made.push_back(next);
  }
  threads.push_back(std::move(made));
}

}  // namespace harrier::fuzz
