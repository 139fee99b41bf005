// SPDX-License-Identifier: Apache-2.0
// The live tasks of one loop, so that they can be cancelled, counted and listed.
//
// Threads     those that the mutex admits. Without one: the loop's own, which is the way of a lone
//             runner. A task that another worker takes over moves to that worker's list.
#pragma once

#include <harrier/detail/owned_mutex.hpp>
#include <harrier/detail/task_record.hpp>

#include <cstddef>

namespace harrier::detail {

class record_list {
 public:
  /// From now on other threads come too. Before any task is added.
  void guard_with(owned_mutex& by) noexcept { mutex_ = &by; }

  void add(task_record& record) noexcept {
    const guard held(mutex_);
    add_held(record);
  }

  static void remove(task_record& record) noexcept {
    record_list& list = *record.list;
    const guard held(list.mutex_);
    list.unlink(record);
  }

  // For whoever holds the mutex. link() is for a task that comes from another list.
  void add_held(task_record& record) noexcept {
    ++added_;
    link(record);
  }
  void link(task_record& record) noexcept {
    record.list = this;
    record.previous = nullptr;
    record.following = first_;
    if (first_ != nullptr) {
      first_->previous = &record;
    }
    first_ = &record;
    ++size_;
  }
  void unlink(task_record& record) noexcept {
    if (record.previous != nullptr) {
      record.previous->following = record.following;
    } else {
      first_ = record.following;
    }
    if (record.following != nullptr) {
      record.following->previous = record.previous;
    }
    record.list = nullptr;
    --size_;
  }

  task_record* any() noexcept {
    const guard held(mutex_);
    return first_;
  }

  std::size_t size() noexcept {
    const guard held(mutex_);
    return size_;
  }

  /// How many were ever added: tells whether a sweep has missed any.
  std::size_t added() noexcept {
    const guard held(mutex_);
    return added_;
  }

  /// Calls `visit(record)` for each, youngest first, under the lock: it must not add or remove.
  template <class Visit>
  void for_each(Visit visit) {
    const guard held(mutex_);
    for (task_record* record = first_; record != nullptr; record = record->following) {
      visit(*record);
    }
  }

 private:
  /// Holds the mutex if there is one.
  class guard {
   public:
    explicit guard(owned_mutex* held) noexcept : mutex_(held) {
      if (mutex_ != nullptr) {
        mutex_->lock();
      }
    }
    ~guard() {
      if (mutex_ != nullptr) {
        mutex_->unlock();
      }
    }
    guard(const guard&) = delete;
    guard& operator=(const guard&) = delete;

   private:
    owned_mutex* mutex_;
  };

  owned_mutex* mutex_ = nullptr;
  task_record* first_ = nullptr;
  std::size_t size_ = 0;
  std::size_t added_ = 0;
};

}  // namespace harrier::detail
