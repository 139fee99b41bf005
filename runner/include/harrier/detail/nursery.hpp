// SPDX-License-Identifier: Apache-2.0
// Children that are spawned by a scope and have all ended before it is left: what task_group, and
// when_all and when_any where they cannot fork, are made of.
//
// Threads     adopt(), and the end of a child, on any thread; the rest on that of the parent's task.
// Protocol    a member exists for each child that has not ended, or has failed.
//             end of a child: out of the list; if it is the first that decides, the nursery aborts:
//                 the other children are cancelled, and so is the parent, unless it waits in join().
//                 Last, `alive` goes down, and whoever brings it to 0 wakes the parent. Nothing of
//                 the nursery is touched afterwards.
//             cancel of the parent while it joins: passed on to the children; remembered.
//             A member moves to `told` before its child is cancelled, each under the lock for itself,
//                 so that children end meanwhile.
#pragma once

#include <harrier/detail/private_cancel.hpp>
#include <harrier/detail/spin_mutex.hpp>
#include <harrier/detail/suspension.hpp>
#include <harrier/detail/task_record.hpp>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <vector>

namespace harrier::detail {

class nursery;

/// A child in a nursery. Made before the child is, so that adopting it cannot fail.
class nursery_member final : public completion {
 public:
  nursery_member(nursery& group, std::size_t place) noexcept
      : completion(&nursery_member::told), owner(&group), index(place) {}

  nursery* owner;
  std::size_t index;
  task_record* record = nullptr;  ///< holds a reference, once adopted
  nursery_member* previous = nullptr;  // guarded by the nursery's mutex, like all links
  nursery_member* following = nullptr;
  bool is_told = false;  ///< which list it is in

 private:
  static void told(completion& self, task_record& ended) noexcept;
};

class HARRIER_EXPORT nursery {
 public:
  /// What makes it cancel the children that are left.
  enum class abort_on : std::uint8_t { error, error_or_cancel, any_end, nothing };

  explicit nursery(abort_on when) noexcept : abort_on_(when) {}
  nursery(const nursery&) = delete;
  nursery& operator=(const nursery&) = delete;
  ~nursery();

  enum class phase : std::uint8_t { fresh, open, aborting, closed };

  /// The scope begins. Once.
  void enter(task_record& parent) noexcept;

  /// Room for a child, which is alive from here on. Throws std::bad_alloc. Says in `at` whether it may
  /// come: if the nursery is not open, nothing is made and null is given.
  nursery_member* reserve(std::size_t index, phase& at);
  void release(nursery_member& unused) noexcept;
  /// The child is spawned, and may have ended already.
  void adopt(nursery_member& member, task_record& child) noexcept;

  /// Cancels what is left. The parent's thread.
  void abort() noexcept;

  std::size_t alive() const noexcept;
  phase state() const noexcept;

  // --- After the join

  /// Leaves the scope. True: the cancel of the parent is the nursery's own.
  bool leave() noexcept;
  /// Whether the parent was cancelled while it joined.
  bool was_interrupted() const noexcept { return interrupted_; }
  private_cancel& parent() noexcept { return cancel_; }

  static constexpr std::size_t none = ~std::size_t{0};
  /// The child that made it abort, by index.
  std::size_t decisive() const noexcept { return decisive_; }
  /// What it failed with; null: a cancel or a value decided, or nothing did.
  const std::exception_ptr& decisive_error() const noexcept { return decisive_error_; }
  /// What children failed with, in the order of their ends; cancels are not among it. Only if it
  /// aborts on errors.
  std::vector<std::exception_ptr> errors() const;

  class join_awaiter final : public suspension {
   public:
    explicit join_awaiter(nursery& group) noexcept : suspension(operations_table), group_(group) {}
    bool await_ready() noexcept { return group_.begin_join(); }
    template <class Promise>
    HARRIER_PUBLISHES bool await_suspend(std::coroutine_handle<Promise> handle) {
      bind(handle, "the join of a group");
      return publish();
    }
    void await_resume() noexcept {
      if (record != nullptr && record->cancel_is_due() && record->take_cancel()) [[unlikely]] {
        group_.interrupted_ = true;
      }
    }

   private:
    bool publish() noexcept;
    static withdrawal withdraw(ready_node& node) noexcept;
    static void tell(const ready_node& node, wait_facts& facts);
    static const ready_operations operations_table;

    nursery& group_;
  };

  class [[nodiscard]] join_operation {
   public:
    using harrier_native = void;
    explicit join_operation(nursery& group) noexcept : group_(group) {}
    join_awaiter operator co_await() const noexcept { return join_awaiter(group_); }

   private:
    nursery& group_;
  };

  /// Waits until no child is alive. Throws nothing.
  join_operation join() noexcept { return join_operation(*this); }

 private:
  friend class nursery_member;

  bool begin_join() noexcept;
  void tell(wait_facts& facts) const;
  void child_ended(nursery_member& member) noexcept;
  bool is_decisive(bool failed, bool cancelled) const noexcept;
  bool wait(suspension& parent) noexcept;
  void interrupt() noexcept;
  void cancel_members() noexcept;
  void one_less() noexcept;

  struct member_list {
    nursery_member* first = nullptr;
    void push(nursery_member& member) noexcept;
    void unlink(nursery_member& member) noexcept;
  };

  // constant after enter()
  const abort_on abort_on_;
  private_cancel cancel_;

  // the parent's
  bool interrupted_ = false;

  mutable spin_mutex mutex_;
  // guarded by mutex_
  phase phase_ = phase::fresh;
  bool joining_ = false;
  std::size_t alive_ = 0;
  suspension* waiter_ = nullptr;
  member_list members_;
  member_list told_;  // they have been cancelled
  nursery_member* failed_ = nullptr;  // the latest first, linked by `previous`
  std::size_t decisive_ = none;
  std::exception_ptr decisive_error_;
};

}  // namespace harrier::detail
