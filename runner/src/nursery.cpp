// SPDX-License-Identifier: Apache-2.0
#include <harrier/detail/nursery.hpp>

#include <harrier/detail/promise.hpp>
#include <harrier/detail/record_memory.hpp>
#include <harrier/detail/wait_facts.hpp>

#include <algorithm>
#include <mutex>
#include <new>
#include <utility>

namespace harrier::detail {

namespace {

// Members are as big as records, nearly, and come from the same memory.
static_assert(sizeof(nursery_member) <= record_bytes);

void free_member(nursery_member& member) noexcept {
  member.~nursery_member();
  if (execution* at = here()) {
    at->frames.free(&member, record_bytes);
  } else {
    free_record_bytes(&member);
  }
}

}  // namespace

// --- the list

void nursery::member_list::push(nursery_member& member) noexcept {
  member.previous = nullptr;
  member.following = first;
  if (first != nullptr) {
    first->previous = &member;
  }
  first = &member;
}

void nursery::member_list::unlink(nursery_member& member) noexcept {
  if (member.following != nullptr) {
    member.following->previous = member.previous;
  }
  if (member.previous != nullptr) {
    member.previous->following = member.following;
  } else {
    first = member.following;
  }
}

// --- children

void nursery_member::told(completion& self, task_record& /*ended*/) noexcept {
  auto& member = static_cast<nursery_member&>(self);
  member.owner->child_ended(member);
}

nursery::~nursery() {
  // Children are left only if the parent is destroyed where it waits: they have been told to end, and
  // their loop does the same to them.
  for (member_list* list : {&members_, &told_}) {
    while (nursery_member* member = list->first) {
      list->unlink(*member);
      if (!member->record->unjoin(*member)) {
        fatal("a group of tasks was destroyed before its children had ended");
      }
      member->record->drop_reference();
      free_member(*member);
    }
  }
  while (failed_ != nullptr) {
    nursery_member* member = std::exchange(failed_, failed_->previous);
    member->record->drop_reference();
    free_member(*member);
  }
}

void nursery::enter(task_record& parent) noexcept {
  cancel_.enter(parent);
  const std::scoped_lock guard(mutex_);
  phase_ = phase::open;
}

nursery_member* nursery::reserve(std::size_t index, phase& at) {
  execution* here_at = here();
  void* memory =
      here_at != nullptr ? here_at->frames.allocate(record_bytes) : allocate_record_bytes();
  auto* member = ::new (memory) nursery_member(*this, index);
  {
    const std::scoped_lock guard(mutex_);
    at = phase_;
    if (phase_ == phase::open) {
      ++alive_;
      return member;
    }
  }
  free_member(*member);
  return nullptr;
}

void nursery::release(nursery_member& unused) noexcept {
  free_member(unused);
  one_less();
}

void nursery::adopt(nursery_member& member, task_record& child) noexcept {
  child.add_reference();
  member.record = &child;
  bool aborted = false;
  {
    const std::scoped_lock guard(mutex_);
    aborted = phase_ != phase::open;
    member.is_told = aborted;
    (aborted ? told_ : members_).push(member);
  }
  if (aborted) {
    child.request_cancel();
  }
  if (!child.join(member)) {
    child_ended(member);
  }
}

bool nursery::is_decisive(bool failed, bool cancelled) const noexcept {
  switch (abort_on_) {
    case abort_on::error:
      return failed;
    case abort_on::error_or_cancel:
      return failed || cancelled;
    case abort_on::any_end:
      return true;
    case abort_on::nothing:
      return false;
  }
  return false;
}

void nursery::child_ended(nursery_member& member) noexcept {
  task_record& record = *member.record;
  bool cancelled = record.ended_cancelled();
  bool failed = false;
  if (!cancelled && record.root->result == result_kind::error) {
    cancelled = is_cancel(record.root->error);
    failed = !cancelled;
  }
  const bool keep = failed && abort_on_ == abort_on::error;
  bool aborts = false;
  bool parent_waits = false;
  {
    const std::scoped_lock guard(mutex_);
    (member.is_told ? told_ : members_).unlink(member);
    if (phase_ == phase::open && is_decisive(failed, cancelled)) {
      phase_ = phase::aborting;
      decisive_ = member.index;
      if (failed) {
        decisive_error_ = record.root->error;
      }
      aborts = true;
      parent_waits = joining_;
    }
    if (keep) {
      member.previous = std::exchange(failed_, &member);
    }
  }
  if (failed) {
    record.take_error();  // the parent gets it, unless it goes with the group
  }
  if (aborts) {
    if (!parent_waits) {
      cancel_.fire();
    }
    cancel_members();
  }
  if (!keep) {
    free_member(member);
    record.drop_reference();
  }
  one_less();
}

void nursery::one_less() noexcept {
  suspension* waiter = nullptr;
  {
    const std::scoped_lock guard(mutex_);
    if (--alive_ == 0) {
      waiter = std::exchange(waiter_, nullptr);
    }
  }
  if (waiter != nullptr) {
    wake(*waiter);
  }
}

// --- the parent

void nursery::cancel_members() noexcept {
  for (;;) {
    const std::scoped_lock guard(mutex_);  // for each by itself: others may end meanwhile
    nursery_member* member = members_.first;
    if (member == nullptr) {
      return;
    }
    members_.unlink(*member);
    member->is_told = true;
    told_.push(*member);
    member->record->request_cancel();
  }
}

void nursery::abort() noexcept {
  {
    const std::scoped_lock guard(mutex_);
    if (phase_ == phase::open) {
      phase_ = phase::aborting;
    }
  }
  cancel_members();
}

void nursery::interrupt() noexcept {
  interrupted_ = true;
  abort();
}

bool nursery::begin_join() noexcept {
  const std::scoped_lock guard(mutex_);
  joining_ = true;
  return alive_ == 0;
}

bool nursery::wait(suspension& parent) noexcept {
  const std::scoped_lock guard(mutex_);
  if (alive_ == 0) {
    return false;
  }
  waiter_ = &parent;
  return true;
}

void nursery::join_awaiter::tell(const ready_node& node, wait_facts& facts) {
  static_cast<const join_awaiter&>(node).group_.tell(facts);
}

const ready_operations nursery::join_awaiter::operations_table =
    suspension::wait_table("the join of a group", withdraw, tell);

bool nursery::join_awaiter::publish() noexcept {
  while (!begin_wait()) {  // a cancel is due: it goes on to the children
    record->take_cancel();
    group_.interrupt();
  }
  // Once it waits, another thread may resume the coroutine: nothing here is touched afterwards.
  return group_.wait(*this) || !abandon_wait();
}

withdrawal nursery::join_awaiter::withdraw(ready_node& node) noexcept {
  static_cast<join_awaiter&>(node).group_.interrupt();
  return withdrawal::passed_on;
}

void nursery::tell(wait_facts& facts) const {
  // It waits for all, but where any of them ends the others.
  facts.needs = abort_on_ == abort_on::any_end ? wait_needs::any : wait_needs::all;
  const std::scoped_lock guard(mutex_);
  for (const member_list* list : {&members_, &told_}) {
    for (const nursery_member* each = list->first; each != nullptr; each = each->following) {
      facts.on.push_back(each->record);
    }
  }
}

bool nursery::leave() noexcept {
  {
    const std::scoped_lock guard(mutex_);
    phase_ = phase::closed;
  }
  return cancel_.leave();
}

std::size_t nursery::alive() const noexcept {
  const std::scoped_lock guard(mutex_);
  return alive_;
}

nursery::phase nursery::state() const noexcept {
  const std::scoped_lock guard(mutex_);
  return phase_;
}

std::vector<std::exception_ptr> nursery::errors() const {
  std::vector<std::exception_ptr> found;
  for (const nursery_member* member = failed_; member != nullptr; member = member->previous) {
    found.push_back(member->record->root->error);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

}  // namespace harrier::detail
