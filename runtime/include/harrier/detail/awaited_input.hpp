// SPDX-License-Identifier: Apache-2.0
// Elements that must be awaited, those of an async_generator or a channel, as the input of a batch.
//
// Awaiting is for coroutines: a task of the runtime, the feeder, awaits the next element, and a worker
// that has room pulls what it has brought.
//
// Threads     mutex_ guards what lies between the feeder and the workers, who pull one at a time.
// Invariant   what was asked for or brought, and not pulled, is together with the items under way at
//             most the window: a worker asks for as many as it may start, and only while nothing is
//             on its way or waits to be pulled.
// Protocol    pull:   there are elements: takes them. The source has ended: says so. Otherwise asks the
//             feeder, and the batch is held.
//             feeder: asked: awaits the next and puts it down; somebody found nothing: lets the
//             batch go on. At its end, however that comes, it destroys the source, and only then
//             the batch may end, for which it is one more thing to wait for.
// Rejected    a look at what a channel has, without the feeder: what that had just received, and not
//             put down yet, would come later than it should.
#pragma once

#include <harrier/async_generator.hpp>
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/batch_input.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/join_handle.hpp>
#include <harrier/sync/channel.hpp>
#include <harrier/sync/event.hpp>
#include <harrier/task.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace harrier::detail {

template <class T>
class generator_source {
 public:
  using element = std::remove_cvref_t<T>;
  static constexpr bool gives_references = std::is_reference_v<T>;
  explicit generator_source(async_generator<T> from) noexcept : from_(std::move(from)) {}
  auto next() noexcept { return from_.next(); }
  auto close() noexcept { return from_.close(); }

 private:
  async_generator<T> from_;
};

template <class Channel>
class channel_source {
 public:
  using element = typename Channel::value_type;
  static constexpr bool gives_references = false;
  explicit channel_source(Channel& from) noexcept : from_(&from) {}
  auto next() { return from_->receive(); }

 private:
  Channel* from_;
};

template <class Source>
class input_feed final : private completion {
 public:
  using element = typename Source::element;

  explicit input_feed(Source from) : completion(&input_feed::on_end), source_(std::move(from)) {}
  input_feed(const input_feed&) = delete;
  input_feed& operator=(const input_feed&) = delete;

  // --- the batch's side
  void attach(batch_core& consumer) noexcept {
    consumer_ = &consumer;
    consumer.await_one_more();
  }

  /// Throws what spawning throws; the source has ended then.
  void start(runtime_core& core) {
    bool is_over = false;
    try {
      task<> work = feed(this);
      task_record* const record =
          core.spawn(task_access::promise(work), spawn_request({}, consumer_->urgency()), true);
      task_access::release(work);  // the record owns the frame
      const std::scoped_lock guard(mutex_);  // until it is left, on_end() waits
      feeder_ = join_handle<void>(*record);
      is_over = !record->join(*this);
      if (is_closed_) {
        cancel_feeder();
      }
    } catch (...) {  // passed on, too
      end(std::current_exception());
      throw;
    }
    if (is_over) {
      end({});
    }
  }

  pull_status pull(pulled_elements<element>& to, std::size_t count) {
    {
      const std::scoped_lock guard(mutex_);
      for (; count != 0 && !brought_.empty(); --count) {
        to.add(position_, std::move(brought_.front()));
        ++position_;
        brought_.pop_front();
      }
      if (to.size() != 0) {
        return pull_status::more;
      }
      if (has_ended_) {
        if (error_) {
          std::rethrow_exception(error_);
        }
        return pull_status::ended;
      }
      is_awaited_ = true;
      if (wanted_ != 0) {
        return pull_status::not_yet;
      }
      wanted_ = count;
    }
    bell_.set();
    return pull_status::not_yet;
  }

  /// Where the source is: those that nobody has pulled, as the batch was closed, are counted, too.
  std::uint64_t position() const noexcept {
    const std::scoped_lock guard(mutex_);
    return position_ + brought_.size();
  }

  /// What pull() threw. Inside the handler.
  std::exception_ptr failure() const { return input_failure(position()); }

  /// Nothing more is asked for.
  void cancel() noexcept {
    const std::scoped_lock guard(mutex_);
    is_closed_ = true;
    cancel_feeder();
    // No bell: a feeder that waits for it is cancelled there, or looks here first.
  }

 private:
  static task<> feed(input_feed* self) {
    std::exception_ptr error;
    try {
      for (;;) {
        const demand now = self->look();
        if (now == demand::over) {
          break;  // the source may have gone on after a cancel
        }
        if (now == demand::none) {
          auto ring = self->bell_.wait();
          co_await ring;
          continue;
        }
        auto next = self->source_->next();
        auto item = co_await next;
        if (!item) {
          break;
        }
        self->bring(*item);
      }
    } catch (...) {  // told to the batch below
      error = std::current_exception();
    }
    if constexpr (requires { self->source_->close(); }) {
      self->begin_cleanup();
      try {
        auto closing = self->source_->close();
        co_await closing;
      } catch (...) {  // likewise: what its cleanup threw says more than a cancel
        error = std::current_exception();
      }
    }
    self->keep_end(std::move(error));
  }

  /// Under the mutex.
  void cancel_feeder() noexcept {
    if (feeder_.valid() && !is_cleaning_up_) {
      feeder_.cancel();
      ++cancels_;
    }
  }

  /// The end of the batch does not cancel the cleanup: a cancel that has not arrived is taken back.
  void begin_cleanup() noexcept {
    const std::scoped_lock guard(mutex_);
    is_cleaning_up_ = true;
    for (; cancels_ != 0; --cancels_) {
      feeder_.uncancel();
    }
  }

  enum class demand : std::uint8_t { none, some, over };
  demand look() noexcept {
    const std::scoped_lock guard(mutex_);
    if (is_closed_) {
      return demand::over;
    }
    return wanted_ != 0 ? demand::some : demand::none;
  }

  /// Of a sequence of references the element is a copy.
  template <class Item>
  void bring(Item& item) {
    bool was_awaited = false;
    {
      const std::scoped_lock guard(mutex_);
      if constexpr (Source::gives_references) {
        brought_.push_back(item);
      } else {
        brought_.push_back(std::move(item));
      }
      --wanted_;
      was_awaited = std::exchange(is_awaited_, false);
    }
    if (was_awaited) {
      consumer_->input_has_more();
    }
  }

  void keep_end(std::exception_ptr error) noexcept {
    const std::scoped_lock guard(mutex_);
    error_ = std::move(error);
    has_reached_end_ = true;
  }

  static void on_end(completion& self, task_record& /*ended*/) noexcept {
    static_cast<input_feed&>(self).end({});
  }

  /// The feeder has ended, or was never there. The batch may be done afterwards, and this gone.
  void end(std::exception_ptr error) noexcept {
    join_handle<void> ended;
    source_.reset();
    batch_core& consumer = *consumer_;
    std::exception_ptr unheard;
    {
      const std::scoped_lock guard(mutex_);
      ended = std::move(feeder_);
      if (!has_reached_end_) {  // it was cancelled before its first step
        error_ = error ? std::move(error) : std::make_exception_ptr(cancelled());
      }
      has_ended_ = true;
      if (is_closed_ && error_ && !is_cancel(error_)) {
        unheard = error_;  // nobody pulls any more
      }
    }
    if (unheard) {
      try {
        std::rethrow_exception(unheard);
      } catch (...) {  // told to whoever waits for the batch
        consumer.input_failed(position(), failure());
      }
    }
    consumer.input_has_more();
    consumer.one_less();
  }

  std::optional<Source> source_;  // the feeder's
  batch_core* consumer_ = nullptr;  // constant after attach()
  auto_reset_event bell_;

  mutable std::mutex mutex_;
  std::deque<element> brought_;  // guarded by mutex_, like all below
  std::uint64_t position_ = 0;
  std::size_t wanted_ = 0;
  bool is_awaited_ = false;  // the batch is held
  bool is_closed_ = false;
  bool is_cleaning_up_ = false;
  unsigned cancels_ = 0;  // those of the batch
  bool has_reached_end_ = false;
  bool has_ended_ = false;
  std::exception_ptr error_;
  join_handle<void> feeder_;
};

template <class Source>
class awaited_input {
 public:
  using element = typename Source::element;
  static constexpr bool is_pulled = true;

  explicit awaited_input(Source from)
      : feed_(std::make_unique<input_feed<Source>>(std::move(from))) {}

  void attach(batch_core& consumer) noexcept { feed_->attach(consumer); }
  void start(runtime_core& core) { feed_->start(core); }
  void cancel() noexcept { feed_->cancel(); }
  std::uint64_t position() const noexcept { return feed_->position(); }
  pull_status pull(pulled_elements<element>& to, std::size_t count) {
    return feed_->pull(to, count);
  }
  std::exception_ptr failure() const { return feed_->failure(); }

 private:
  std::unique_ptr<input_feed<Source>> feed_;
};

}  // namespace harrier::detail
