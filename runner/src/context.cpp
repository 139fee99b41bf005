// SPDX-License-Identifier: Apache-2.0
#include <harrier/context.hpp>

#include <harrier/detail/execution.hpp>
#include <harrier/detail/spin_mutex.hpp>

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace harrier {
namespace detail {

constinit std::atomic<bool> has_context_vars{false};

/// Few variables are set at a time: a list, searched from its front, is the map.
class alignas(8) context_map {
 public:
  struct entry {
    std::uint64_t variable;
    std::shared_ptr<const void> value;
  };

  context_map() = default;
  explicit context_map(const context_map* from) {
    if (from != nullptr) {
      entries.reserve(from->entries.size() + 1);
      entries = from->entries;
    }
  }
  context_map(const context_map&) = delete;
  context_map& operator=(const context_map&) = delete;

  const void* find(std::uint64_t variable) const noexcept {
    for (const entry& each : entries) {
      if (each.variable == variable) {
        return each.value.get();
      }
    }
    return nullptr;
  }

  std::shared_ptr<const void> exchange(std::uint64_t variable, std::shared_ptr<const void> value) {
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [&](const entry& each) { return each.variable == variable; });
    if (at == entries.end()) {
      if (value) {
        entries.push_back(entry{variable, std::move(value)});
      }
      return nullptr;
    }
    std::shared_ptr<const void> before = std::exchange(at->value, std::move(value));
    if (!at->value) {
      entries.erase(at);
    }
    return before;
  }

  void add_reference() noexcept {
    // relaxed, counter only: whoever adds one already holds one
    references.fetch_add(1, std::memory_order_relaxed);
  }
  bool is_only_reference() const noexcept {
    return references.load(std::memory_order_acquire) == 1;  // [context:references]
  }
  void drop_reference() noexcept {
    // acq_rel: what each holder did happens before the last one destroys  [context:references]
    if (is_only_reference() || references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  std::vector<entry> entries;
  std::atomic<std::uint32_t> references{1};
};

/// What copies of a `context` have in common.
class alignas(8) context_cell {
 public:
  context_cell() noexcept = default;

  void add_reference() noexcept {
    // relaxed, counter only: whoever adds one already holds one
    references.fetch_add(1, std::memory_order_relaxed);
  }
  void drop_reference() noexcept {
    // acq_rel: what each holder did happens before the last one destroys  [context:references]
    if (references.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      delete this;
    }
  }

  std::atomic<std::uint32_t> references{1};
  mutable spin_mutex mutex;
  context_word word;  // guarded by mutex; never shared itself
};

namespace {

thread_local context_word thread_word;

std::shared_ptr<const void> exchange_in(context_word& word, std::uint64_t variable,
                                        std::shared_ptr<const void> value, context_word& dropped) {
  context_map* map = word.map();
  if (map != nullptr && word.is_counted() && map->is_only_reference()) {
    return map->exchange(variable, std::move(value));
  }
  auto changed = std::make_unique<context_map>(map);
  std::shared_ptr<const void> before = changed->exchange(variable, std::move(value));
  dropped = std::exchange(word, context_word(reinterpret_cast<std::uintptr_t>(changed.release()) |
                                             context_word::counted));
  return before;
}

}  // namespace

context_word& thread_context() noexcept { return thread_word; }

context_word& context_word::current() noexcept {
  execution* at = here();
  return at != nullptr && at->context != nullptr ? *at->context : thread_word;
}

context_word context_word::copy() const noexcept {
  if (is_shared()) {
    const std::scoped_lock guard(cell()->mutex);
    return cell()->word.copy();
  }
  if (map() == nullptr) {
    return context_word();
  }
  map()->add_reference();
  return context_word(bits_ | counted);
}

void context_word::release(std::uintptr_t bits) noexcept {
  const std::uintptr_t pointer = bits & ~(counted | shared);
  if ((bits & shared) != 0) {
    reinterpret_cast<context_cell*>(pointer)->drop_reference();
  } else {
    reinterpret_cast<context_map*>(pointer)->drop_reference();
  }
}

context_value::context_value(const context_word& in, std::uint64_t variable) noexcept
    : held_(in.is_shared() ? in.copy() : in.lend()) {
  if (const context_map* map = held_.map()) {
    value_ = map->find(variable);
  }
}

std::shared_ptr<const void> exchange_context_value(std::uint64_t variable,
                                                   std::shared_ptr<const void> value) {
  context_word& word = context_word::current();
  context_word dropped;  // its values may have destructors: they run outside the lock
  if (word.is_shared()) {
    const std::scoped_lock guard(word.cell()->mutex);
    return exchange_in(word.cell()->word, variable, std::move(value), dropped);
  }
  return exchange_in(word, variable, std::move(value), dropped);
}

std::uint64_t make_context_variable() noexcept {
  static std::atomic<std::uint64_t> last{0};
  has_context_vars.store(true, std::memory_order_relaxed);  // hint: see snapshot()
  return last.fetch_add(1, std::memory_order_relaxed) + 1;  // counter only
}

context_scope::context_scope(context_word& word) noexcept : word_(word), at_(here()) {
  if (at_ != nullptr) {
    outer_ = std::exchange(at_->context, &word);
  } else {
    std::swap(thread_word, word);
  }
}

context_scope::~context_scope() {
  if (at_ != nullptr) {
    at_->context = outer_;
  } else {
    std::swap(thread_word, word_);
  }
}

}  // namespace detail

no_context_value::no_context_value(std::string_view name)
    : std::logic_error("context variable '" + std::string(name) +
                       "' has no value here and no default") {}

invalid_context_token::invalid_context_token(std::string_view name)
    : std::logic_error("the token is not from a set() of the context variable '" +
                       std::string(name) + "', or was used already") {}

context::context() : cell_(new detail::context_cell) {}

context::context(const context& other) noexcept : cell_(other.cell_) { cell_->add_reference(); }

context& context::operator=(const context& other) noexcept {
  context copied(other);
  std::swap(cell_, copied.cell_);
  return *this;
}

context::~context() { cell_->drop_reference(); }

context context::around(detail::context_word values) {
  context made;
  made.cell_->word = std::move(values);
  return made;
}

context context::current() { return around(detail::context_word::current().copy()); }

context context::copy() const { return around(share().copy()); }

detail::context_word context::share() const noexcept {
  cell_->add_reference();
  return detail::context_word(reinterpret_cast<std::uintptr_t>(cell_) |
                              detail::context_word::counted | detail::context_word::shared);
}

}  // namespace harrier
