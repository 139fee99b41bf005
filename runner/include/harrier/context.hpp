// SPDX-License-Identifier: Apache-2.0
// Variables that follow a task instead of a thread: a request's number, a deadline, a user's locale.
#pragma once

#include <harrier/detail/context_word.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace harrier {

/// `get()` of a variable that has neither a value in this context nor a default.
class HARRIER_EXPORT no_context_value : public std::logic_error {
 public:
  explicit no_context_value(std::string_view name);
};

/// `reset()` with a token that is of another variable, or was used already.
class HARRIER_EXPORT invalid_context_token : public std::logic_error {
 public:
  explicit invalid_context_token(std::string_view name);
};

template <class T>
class context_var;

/// What a variable was before a `set()`; for one `reset()`.
template <class T>
class context_token {
 public:
  context_token(context_token&& other) noexcept
      : variable_(std::exchange(other.variable_, 0)), before_(std::move(other.before_)) {}
  context_token& operator=(context_token&& other) noexcept {
    variable_ = std::exchange(other.variable_, 0);
    before_ = std::move(other.before_);
    return *this;
  }

 private:
  friend class context_var<T>;
  context_token(std::uint64_t variable, std::shared_ptr<const void> before) noexcept
      : variable_(variable), before_(std::move(before)) {}

  std::uint64_t variable_;
  std::shared_ptr<const void> before_;
};

/// Variables and their values, as an object of its own: for tasks that are to run in it, one after the
/// other or side by side, and see what the others set. Copies refer to the same one.
///
/// Threads   any: tasks in it may run on several workers.
class HARRIER_EXPORT context {
 public:
  /// Empty.
  context();
  // A copy is cheap, and a move is one: moved-from objects stay usable.
  context(const context& other) noexcept;
  context& operator=(const context& other) noexcept;
  ~context();

  /// What is set here and now: in the running task, or on this thread of ordinary code. A copy: later
  /// changes on either side do not show on the other.
  static context current();
  /// Likewise a copy.
  context copy() const;

  /// Calls `function` in this context: what it sets stays here. It does not suspend.
  template <class F>
  decltype(auto) run(F&& function) const {
    detail::context_word word = share();
    const detail::context_scope within(word);
    return std::forward<F>(function)();
  }

  /// For run() and spawn(): one more reference.
  detail::context_word share() const noexcept;
  /// For a runner.
  static context around(detail::context_word values);

 private:
  explicit context(detail::context_cell& cell) noexcept : cell_(&cell) {}
  detail::context_cell* cell_;
};

/// A variable with a value for each task. Usually a static or a global; values are immutable.
///
/// A task that is spawned, forked or an item of a batch starts with what its creator had set then,
/// and what it sets is its own. An awaited child and an async generator run in the task that awaits,
/// and so share its values. Ordinary code has a context for each thread.
///
/// Threads   any; what a task sets follows it to other workers.
/// Lifetime  values that were set live as long as a context has them, also without the variable.
/// Cost      get(): a search among the variables that are set. set(): a copy of the map of pointers, or
///           none if no other task shares it.
template <class T>
class context_var {
 public:
  /// Without a default. The name is for error messages.
  explicit context_var(std::string_view name) : name_(name) {}
  context_var(std::string_view name, T initial) : name_(name), default_(std::move(initial)) {}
  context_var(const context_var&) = delete;
  context_var& operator=(const context_var&) = delete;

  /// The value in the current context, else the default. Callable in any function that a coroutine
  /// calls. Throws no_context_value.
  T get() const {
    const detail::context_value found(detail::context_word::current(), id_);
    if (found.get() != nullptr) {
      return *static_cast<const T*>(found.get());
    }
    if (!default_) {
      throw no_context_value(name_);
    }
    return *default_;
  }

  /// The value in the current context, if it was set there.
  std::optional<T> get_if_set() const { return get_if_set(detail::context_word::current()); }
  std::optional<T> get_if_set(const context& where) const { return get_if_set(where.share()); }

  /// The value for this task from now on, and for tasks that it starts. Throws std::bad_alloc.
  context_token<T> set(T value) const {
    auto holder = std::make_shared<const T>(std::move(value));
    return context_token<T>(id_, detail::exchange_context_value(id_, std::move(holder)));
  }

  /// Puts back what was there before the set() that gave `token`. Throws invalid_context_token.
  void reset(context_token<T> token) const {
    if (std::exchange(token.variable_, 0) != id_) {
      throw invalid_context_token(name_);
    }
    detail::exchange_context_value(id_, std::move(token.before_));
  }

  const std::string& name() const noexcept { return name_; }

 private:
  std::optional<T> get_if_set(const detail::context_word& where) const {
    const detail::context_value found(where, id_);
    return found.get() == nullptr ? std::nullopt
                                  : std::optional<T>(*static_cast<const T*>(found.get()));
  }

  const std::uint64_t id_ =
      detail::make_context_variable();  // never that of a variable which is gone
  std::string name_;
  std::optional<T> default_;
};

}  // namespace harrier
