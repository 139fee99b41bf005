// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/examination.hpp>

#include <harrier/detail/held_wait.hpp>
#include <harrier/detail/promise.hpp>
#include <harrier/event_loop.hpp>

#include <algorithm>
#include <chrono>
#include <iomanip>
#include <mutex>
#include <sstream>
#include <utility>

namespace harrier::detail {

namespace {

constexpr std::size_t most_sites = 16;
constexpr std::size_t most_named = 8;

/// One at a time: a wait that somebody else holds for a look cannot be looked at.
constinit std::mutex looking;

/// What a wait says of itself. While it is held.
wait_facts facts_of(const suspension& node) {
  wait_facts facts;
  if (node.operations->tell != nullptr) {
    node.operations->tell(node, facts);
  }
  return facts;
}

/// "#2 "there"": how a diagnosis refers to a task.
std::string label(const diagnosis& found, std::size_t index) {
  const std::string& name = found.tasks[index].name;
  return "#" + std::to_string(index) + (name.empty() ? "" : " \"" + name + "\"");
}

std::string labels(const diagnosis& found, std::span<const std::size_t> indices) {
  std::string text;
  for (std::size_t i = 0; i < std::min(indices.size(), most_named); ++i) {
    text += (i == 0 ? "" : ", ") + label(found, indices[i]);
  }
  if (indices.size() > most_named) {
    text += " and " + std::to_string(indices.size() - most_named) + " more";
  }
  return text;
}

std::string in_words(const char* what, const wait_facts& facts, const diagnosis& found,
                     std::span<const std::size_t> on) {
  std::string text = what != nullptr ? what : "something without a name";
  if (facts.object != nullptr) {
    std::ostringstream address;
    address << facts.object;
    text += " of " + address.str();
  }
  if (!facts.more.empty()) {
    text += ": " + facts.more;
  }
  if (!on.empty()) {
    text += (facts.is_held                    ? ", held by "
             : facts.needs == wait_needs::all ? ", for the end of "
                                              : ", for one of ") +
            labels(found, on);
  } else if (facts.is_held) {
    text += facts.on.empty() ? ", held by nobody that is known"
                             : ", held by a task or callback that is not listed";
  }
  return text;
}

/// Depth first along the waits that need all of what they are on, without recursion: chains are long.
class cycle_search {
 public:
  explicit cycle_search(const diagnosis& found) : found_(found), marks_(found.tasks.size()) {}

  template <class Found>
  void run(Found each_cycle) {
    for (std::size_t from = 0; from < marks_.size(); ++from) {
      if (marks_[from] == mark::fresh) {
        enter(from);
      }
      while (!path_.empty()) {
        step(each_cycle);
      }
    }
  }

 private:
  enum class mark : std::uint8_t { fresh, on_path, left };
  struct place {
    std::size_t task;
    std::size_t next_edge = 0;
  };

  void enter(std::size_t task) {
    marks_[task] = mark::on_path;
    path_.push_back({task});
  }

  template <class Found>
  void step(Found& each_cycle) {
    place& top = path_.back();
    const task_diagnosis& at = found_.tasks[top.task];
    if (at.has_other_ways || top.next_edge == at.waits_on.size()) {
      marks_[top.task] = mark::left;
      path_.pop_back();
      return;
    }
    const std::size_t next = at.waits_on[top.next_edge++];
    if (marks_[next] == mark::fresh) {
      enter(next);
    } else if (marks_[next] == mark::on_path) {
      auto first = std::find_if(path_.begin(), path_.end(),
                                [next](const place& each) { return each.task == next; });
      std::vector<std::size_t> cycle;
      for (; first != path_.end(); ++first) {
        cycle.push_back(first->task);
      }
      each_cycle(std::move(cycle));
    }
  }

  const diagnosis& found_;
  std::vector<mark> marks_;
  std::vector<place> path_;
};

}  // namespace

std::string in_seconds(duration time) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(3) << std::chrono::duration<double>(time).count() << " s";
  return std::move(text).str();
}

std::vector<std::source_location> await_sites(const suspension& leaf) {
  std::vector<std::source_location> sites;
  // Whoever awaits one of ours, but for a guest's host, is one of ours.
  for (promise_base* at = &promise_base::of(leaf.waiter); sites.size() < most_sites;
       at = &promise_base::of(at->continuation)) {
    if (at->site.line() != 0) {  // it waits, so it has not thrown
      sites.push_back(at->site);
    }
    if (at->started_as != role::awaited) {
      break;
    }
  }
  return sites;
}

examination::examination() noexcept = default;
examination::~examination() = default;

void examination::add(task_record& record, std::optional<std::size_t> worker) {
  const promise_base* root = record.root;  // who takes it off the list first leaves the root alone
  const bool is_item = root != nullptr && root->started_as == role::item;
  patients_.push_back({task_ref(record), root, is_item ? root->owner : nullptr, worker});
}

diagnosis examination::conclude() {
  const std::scoped_lock one_at_a_time(looking);
  std::reverse(patients_.begin(), patients_.end());  // lists have the youngest first
  diagnosis found;
  found.tasks.resize(patients_.size());
  for (std::size_t index = 0; index < patients_.size(); ++index) {
    const patient& each = patients_[index];
    const task_record& record = task_ref_access::record(each.task);
    for (const void* address : {static_cast<const void*>(&record), each.root, each.batch,
                                static_cast<const void*>(&record.context)}) {
      if (address != nullptr) {
        by_address_[address].push_back(index);
      }
    }
    found.tasks[index].name = each.task.name();
    found.tasks[index].worker = each.worker;
  }
  for (std::size_t index = 0; index < patients_.size(); ++index) {
    look_at(index, found);
  }
  cycle_search(found).run([&](std::vector<std::size_t> cycle) {
    if (is_true(cycle)) {
      found.cycles.push_back(std::move(cycle));
    }
  });
  return found;
}

void examination::look_at(std::size_t index, diagnosis& found) const {
  task_record& record = task_ref_access::record(patients_[index].task);
  task_diagnosis& at = found.tasks[index];
  // A loop outlives the references to its tasks. relaxed: any loop of theirs has the time
  const time_point now = record.home.load(std::memory_order_relaxed)->now();
  if (record_extras* more = record.more.load(std::memory_order_acquire)) {  // [record:extras]
    at.spawned_at = more->spawned_at;
    if (more->spawned_when) {
      at.age = now - *more->spawned_when;
    }
  }
  const held_wait wait(record);
  if (!wait) {
    // relaxed: a hint, out of date by the time that somebody reads it
    const auto phase = task_record::phase_of(record.state.load(std::memory_order_relaxed));
    at.state = phase == task_record::active ? task_state::runs : task_state::ends;
    return;
  }
  at.state = task_state::waits;
  at.waits_at = await_sites(wait.node());
  const wait_facts facts = facts_of(wait.node());
  at.waits_on = resolve(facts);
  at.has_other_ways = facts.needs == wait_needs::any;
  at.due = facts.due;
  at.waits_for = in_words(wait.node().operations->waits_for, facts, found, at.waits_on);
  if (facts.due) {
    at.waits_for += *facts.due > now ? ", due in " + in_seconds(*facts.due - now)
                                     : ", due " + in_seconds(now - *facts.due) + " ago";
  }
}

std::vector<std::size_t> examination::resolve(const wait_facts& facts) const {
  std::vector<std::size_t> on;
  for (const void* address : facts.on) {
    const auto at = by_address_.find(address);
    if (at != by_address_.end()) {
      on.insert(on.end(), at->second.begin(), at->second.end());
    }
  }
  std::sort(on.begin(), on.end());
  return on;
}

bool examination::is_true(std::span<const std::size_t> cycle) const {
  std::vector<held_wait> waits;
  waits.reserve(cycle.size());
  for (const std::size_t each : cycle) {
    if (!waits.emplace_back(task_ref_access::record(patients_[each].task))) {
      return false;
    }
  }
  for (std::size_t i = 0; i < cycle.size(); ++i) {
    const wait_facts facts = facts_of(waits[i].node());
    const std::vector<std::size_t> on = resolve(facts);
    const std::size_t next = cycle[(i + 1) % cycle.size()];
    if (facts.needs != wait_needs::all || std::find(on.begin(), on.end(), next) == on.end()) {
      return false;
    }
  }
  return true;
}

}  // namespace harrier::detail
