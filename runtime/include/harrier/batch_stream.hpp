// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch_control.hpp>
#include <harrier/detail/batch_input.hpp>
#include <harrier/detail/stream_core.hpp>
#include <harrier/task.hpp>

#include <algorithm>
#include <array>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <new>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier {

/// A result of a stream, and which item gave it.
template <class T>
class stream_item {
 public:
  stream_item(std::uint64_t at, T result) noexcept(std::is_nothrow_move_constructible_v<T>)
      : index(at), value(std::move(result)) {}
  std::uint64_t index;  ///< the position in the input
  T value;
};

template <>
class stream_item<void> {
 public:
  explicit stream_item(std::uint64_t at) noexcept : index(at) {}
  std::uint64_t index;
};

namespace detail {

template <class T>
class stream_of : public stream_core {
 public:
  using entry = stream_item<T>;
  using stream_core::stream_core;

  bool keep(batch_lane& lane, task_promise<T>& promise, std::uint64_t index) noexcept {
    if constexpr (std::is_void_v<T> || std::is_nothrow_move_constructible_v<T>) {
      result_block* to = this->open_block(lane);
      if (promise.result == result_kind::value && to != nullptr) [[likely]] {
        add(lane, *to, promise, index);
        return true;
      }
    }
    return false;
  }

  /// The next result, if there is one. For the reader. Throws what its move throws: it is lost then.
  std::optional<entry> take() {
    if (reading_ == nullptr) {
      read_next_block();
      if (reading_ == nullptr) {
        return std::nullopt;
      }
    }
    const taken_item taken(*this);
    return std::optional<entry>(std::move(taken.from()));
  }
  bool can_take() const noexcept { return reading_ != nullptr; }

 protected:
  ~stream_of() override {
    if (reading_ != nullptr) {
      destroy(*reading_, taken_);
    }
    while (result_block* each = this->remove_block()) {
      destroy(*each, 0);
    }
  }

  void store_result(batch_lane& lane, promise_base& promise, std::uint64_t index) final {
    result_block* to = this->open_block(lane);
    if (to == nullptr) {
      to = this->reuse_block();
      to = to != nullptr ? to : make_block();
      this->open_block(lane) = to;
    }
    add(lane, *to, static_cast<task_promise<T>&>(promise), index);
  }

  void release_results() noexcept final {}

 private:
  static constexpr std::align_val_t block_alignment{
      std::max(alignof(entry), alignof(result_block))};
  static constexpr std::size_t entries_at =
      std::max(sizeof(result_block), static_cast<std::size_t>(block_alignment));

  result_block* make_block() {
    this->expect_block();
    const std::uint32_t room = this->block_size(sizeof(entry));
    void* memory = ::operator new(entries_at + room * sizeof(entry), block_alignment);
    return ::new (memory) result_block(room);
  }
  static entry* entry_of(result_block& of, std::uint32_t place) noexcept {
    return reinterpret_cast<entry*>(reinterpret_cast<std::byte*>(&of) + entries_at) + place;
  }

  void add(batch_lane& lane, result_block& to, task_promise<T>& promise, std::uint64_t index) {
    entry* const at = entry_of(to, to.count);
    if constexpr (std::is_void_v<T>) {
      promise.take();
      std::construct_at(at, index);
    } else {
      std::construct_at(at, index, promise.take());
    }
    ++to.count;
    add_to(lane.live, 1);
    if (to.count == to.room) {
      this->publish(lane);
    }
  }

  /// The result that is being taken: gone afterwards, whether or not its move throws.
  class taken_item {
   public:
    explicit taken_item(stream_of& of) noexcept : of_(of) {}
    ~taken_item() {
      std::destroy_at(&from());
      if (++of_.taken_ == of_.reading_->count) {
        result_block& done = *of_.reading_;
        of_.reading_ = nullptr;
        if (of_.has_block_at_hand()) {
          of_.read_next_block();
        }
        of_.recycle(done);
      }
    }
    taken_item(const taken_item&) = delete;
    taken_item& operator=(const taken_item&) = delete;
    entry& from() const noexcept { return *entry_of(*of_.reading_, of_.taken_); }

   private:
    stream_of& of_;
  };

  void read_next_block() noexcept {
    reading_ = this->take_block();
    taken_ = 0;
  }

  static void destroy(result_block& of, std::uint32_t taken) noexcept {
    for (; taken != of.count; ++taken) {
      std::destroy_at(entry_of(of, taken));
    }
    std::destroy_at(&of);
    ::operator delete(static_cast<void*>(&of), block_alignment);
  }

  // the reader's, who writes them for each result: alone on their line
  alignas(64) result_block* reading_ = nullptr;
  std::uint32_t taken_ = 0;  // of those in reading_
  [[maybe_unused]] std::array<std::byte, 64 - sizeof(void*) - sizeof(std::uint32_t)> rest_;
};

/// What was taken, or nothing at the end of the stream, or the error that ended it.
template <class T>
std::optional<stream_item<T>> take_or_end(stream_of<T>& stream) {
  std::optional<stream_item<T>> taken = stream.take();
  if (!taken) {
    stream.rethrow_at_end();
  }
  return taken;
}

template <class T>
class [[nodiscard]] stream_awaiter final : public stream_wait {
 public:
  explicit stream_awaiter(stream_of<T>& stream) noexcept : stream_wait(stream), of_(&stream) {}
  bool await_ready() const noexcept { return of_->can_take(); }
  std::optional<stream_item<T>> await_resume() {
    this->deliver_cancel();
    return take_or_end(*of_);
  }

 private:
  stream_of<T>* of_;
};

/// What batch_stream::next gives: awaited once.
template <class T>
class [[nodiscard]] stream_next {
 public:
  using harrier_native = void;
  explicit stream_next(stream_of<T>& stream) noexcept : stream_(&stream) {}
  stream_awaiter<T> operator co_await() const noexcept { return stream_awaiter<T>(*stream_); }

 private:
  stream_of<T>* stream_;
};

template <class T>
class stream_input;

}  // namespace detail

/// A batch whose results come one by one, as the items complete. At most the window's number of items
/// are under way or done and not taken: a slow reader slows the batch down, and memory is flat. Of a
/// window of 16 or more, taken results make room when half of it is left to take: a reader that waits
/// for an item to start reads on until then.
///
/// Threads   one reader at a time: next(), wait_next(), try_next() and the iteration.
/// Order     that of completion, by and large: results travel in blocks, a worker's own in order.
/// Lifetime  dropping the handle cancels the batch and does not wait: what the items refer to must
///           live until the batch is done (wait()).
/// Errors    fail_fast, the default: what was done before comes, then the error. tolerate(): as
///           long as it holds, failed items are missing. collect_all: likewise, however many; read
///           errors(), or they go to the exception handler. input: batch_input_failed.
/// Cancel    of the reader's wait: thrown there, and nothing is lost. Of the batch: `cancelled` at the
///           end. drop_unstarted() brings the ordinary end earlier.
/// Memory    what an item did happens before its result is taken.
template <class T>
class [[nodiscard]] batch_stream : public batch_control {
 public:
  using value_type = stream_item<T>;

  batch_stream() noexcept = default;
  explicit batch_stream(detail::stream_of<T>& core) noexcept : batch_control(core) {}
  batch_stream(batch_stream&&) noexcept = default;
  batch_stream& operator=(batch_stream&& other) noexcept {
    if (this != &other) {
      close();
      batch_control::operator=(std::move(other));
    }
    return *this;
  }
  ~batch_stream() { close(); }

  /// `co_await stream.next()`: the next result, or nothing at the end.
  detail::stream_next<T> next() const { return detail::stream_next<T>(typed()); }

  /// The same for ordinary code: blocks. Throws blocking_in_loop on a thread that runs a loop.
  std::optional<stream_item<T>> wait_next() {
    detail::stream_of<T>& stream = typed();
    if (!stream.can_take()) {
      stream.wait_blocking("batch_stream::wait_next");
    }
    return rethrowing_outside([&] { return detail::take_or_end(stream); });
  }

  /// What is there now; nothing may also mean: not yet.
  std::optional<stream_item<T>> try_next() { return typed().take(); }

  /// `for (auto& item : stream)` in ordinary code: wait_next() until the end.
  class iterator {
   public:
    using iterator_concept = std::input_iterator_tag;
    using difference_type = std::ptrdiff_t;
    using value_type = stream_item<T>;
    explicit iterator(batch_stream& of) : of_(&of), item_(of.wait_next()) {}
    stream_item<T>& operator*() const { return *item_; }
    iterator& operator++() {
      item_.reset();
      if (auto following = of_->wait_next()) {
        item_.emplace(std::move(*following));
      }
      return *this;
    }
    void operator++(int) { ++*this; }
    friend bool operator==(const iterator& at, std::default_sentinel_t) { return !at.item_; }

   private:
    batch_stream* of_;
    mutable std::optional<stream_item<T>> item_;
  };
  iterator begin() { return iterator(*this); }
  std::default_sentinel_t end() const noexcept { return std::default_sentinel; }

  /// For batches that take this one as their input.
  detail::runtime_core& harrier_runtime() const { return typed().runtime(); }
  detail::stream_input<T> harrier_input() && { return detail::stream_input<T>(std::move(*this)); }

 private:
  friend class detail::stream_input<T>;

  detail::stream_of<T>& typed() const { return static_cast<detail::stream_of<T>&>(checked()); }
  void close() noexcept {
    if (valid()) {
      typed().close_stream();
    }
  }
};

namespace detail {

/// A batch's results as the input of the next: the item keeps its index.
///
/// The next batch ends only after this one has, and its cancel goes on to it.
template <class T>
class stream_input {
 public:
  using element = T;
  static constexpr bool is_pulled = true;
  static_assert(!std::is_void_v<T>, "a stream of void has nothing to give to the next stage");

  explicit stream_input(batch_stream<T> upstream)
      : link_(std::make_unique<link>(std::move(upstream))) {}

  void attach(batch_core& consumer) noexcept { link_->attach(consumer); }
  void cancel() noexcept { link_->core().cancel(); }
  std::uint64_t position() const noexcept {
    const std::optional<item_error> first = link_->core().first_error();
    return first ? first->index : link_->core().total();
  }

  pull_status pull(pulled_elements<T>& to, std::size_t count) {
    stream_of<T>& from = link_->core();
    for (; count != 0; --count) {
      std::optional<stream_item<T>> item = from.take();
      if (!item && to.size() != 0) {
        return pull_status::more;
      }
      if (!item) {
        if (from.wait_for_results(*link_)) {
          return pull_status::not_yet;
        }
        item = take_or_end(from);
        if (!item) {
          return pull_status::ended;
        }
      }
      to.add(item->index, std::move(item->value));
    }
    return pull_status::more;
  }

  std::exception_ptr failure() const { return std::current_exception(); }

 private:
  class link final : public stream_waiter, public batch_watcher {
   public:
    explicit link(batch_stream<T> from)
        : stream_waiter{[](stream_waiter& self) noexcept {
            static_cast<link&>(self).consumer_->input_has_more();
          }},
          batch_watcher{
              [](batch_watcher& self) noexcept { static_cast<link&>(self).consumer_->one_less(); }},
          from_(std::move(from)) {}
    ~link() {
      // Only if the consumer was never dispatched it is still watched here.
      if (consumer_ != nullptr) {
        core().unwatch(*this);
      }
    }
    link(const link&) = delete;
    link& operator=(const link&) = delete;

    void attach(batch_core& consumer) noexcept {
      consumer_ = &consumer;
      consumer.await_one_more();
      if (!core().watch(*this)) {
        consumer.one_less();
      }
    }
    stream_of<T>& core() const noexcept { return from_.typed(); }

   private:
    batch_stream<T> from_;
    batch_core* consumer_ = nullptr;
  };

  std::unique_ptr<link> link_;
};

}  // namespace detail
}  // namespace harrier
