// SPDX-License-Identifier: Apache-2.0
// Which of a set of tasks have ended, in that order, and waiting for more of them: wait() and
// as_completed(). Watching changes nothing for the tasks.
//
// Threads     a task may end on any; the rest belongs to the one coroutine that waits.
// Lifetime    a watch that a task is just about to tell is waited for by the destructor: a few
//             instructions, for they follow the end of the task.
#pragma once

#include <harrier/detail/spin_mutex.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/detail/task_record.hpp>
#include <harrier/task_ref.hpp>

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <vector>

namespace harrier::detail {

class HARRIER_EXPORT ended_tasks {
 public:
  /// Throws invalid_task, std::bad_alloc.
  explicit ended_tasks(std::vector<task_ref> tasks);
  ended_tasks(const ended_tasks&) = delete;
  ended_tasks& operator=(const ended_tasks&) = delete;
  ~ended_tasks();

  std::size_t size() const noexcept { return tasks_.size(); }
  const task_ref& at(std::size_t index) const noexcept { return tasks_[index]; }
  /// The task that ended as the nth, after until(n + 1).
  std::size_t nth(std::size_t n) const noexcept;

  class awaiter final : public suspension {
   public:
    awaiter(ended_tasks& owner, std::size_t count, bool or_error) noexcept
        : suspension(operations_table), owner_(owner), count_(count), or_error_(or_error) {}
    bool await_ready() const noexcept { return owner_.has(count_, or_error_); }
    template <class Promise>
    HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
      bind(handle, "a wait for tasks");
      return publish();
    }
    void await_resume() { deliver_cancel(); }

   private:
    friend class ended_tasks;
    bool publish() noexcept;
    static withdrawal withdraw(ready_node& node) noexcept;
    static void tell(const ready_node& node, wait_facts& facts);
    static const ready_operations operations_table;

    ended_tasks& owner_;
    std::size_t count_;
    bool or_error_;
  };

  class [[nodiscard]] operation {
   public:
    using harrier_native = void;
    operation(ended_tasks& owner, std::size_t count, bool or_error) noexcept
        : owner_(owner), count_(count), or_error_(or_error) {}
    awaiter operator co_await() const noexcept { return awaiter(owner_, count_, or_error_); }

   private:
    ended_tasks& owner_;
    std::size_t count_;
    bool or_error_;
  };

  /// Waits until `count` have ended, or one has failed, if asked for. A cancel ends the wait and
  /// leaves the tasks alone.
  operation until(std::size_t count, bool or_error = false) noexcept {
    return operation(*this, count, or_error);
  }

 private:
  struct watch final : completion {
    watch() noexcept : completion(&ended_tasks::told) {}
    ended_tasks* owner = nullptr;
    std::size_t index = 0;
    std::atomic<bool> is_over{false};
  };

  static void told(completion& self, task_record& ended) noexcept;
  bool has(std::size_t count, bool or_error) const noexcept;
  bool has_held(std::size_t count, bool or_error) const noexcept {
    return order_.size() >= count || (or_error && error_seen_);
  }

  const std::vector<task_ref> tasks_;
  const std::unique_ptr<watch[]> watches_;

  mutable spin_mutex mutex_;
  // guarded by mutex_
  std::vector<std::size_t> order_;  // has room for all
  bool error_seen_ = false;
  awaiter* waiter_ = nullptr;
};

}  // namespace harrier::detail
