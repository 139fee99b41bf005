// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/batch.hpp>
#include <harrier/chunk.hpp>
#include <harrier/dispatch_options.hpp>
#include <harrier/task.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

namespace harrier {

class runtime;

/// What a procedure is told about the item it is to do.
class chunk_item {
 public:
  chunk_item(std::uint64_t at, std::uint64_t chance, std::uint32_t try_number) noexcept
      : index(at), seed(chance), attempt(try_number) {}

  std::uint64_t index;
  std::uint64_t seed;  ///< item_seed() of the batch's seed: the same in every attempt
  std::uint32_t attempt;
};

/// A chunk names a procedure that nobody has registered here.
class HARRIER_EXPORT unknown_procedure : public std::runtime_error {
 public:
  explicit unknown_procedure(const std::string& name);
};

/// How a chunk ended: what its receiver sends back.
class acknowledgement {
 public:
  explicit acknowledgement(chunk done) : of(std::move(done)) {}

  /// All its items are done: it need not be sent again.
  bool is_done() const noexcept { return failed == 0; }

  chunk of;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;  ///< or cancelled
  std::string error;  ///< the text of the first failure, and which item it was
};

/// Procedures by name, so that a chunk can say what to do.
///
/// Threads   any, all at once.
/// Lifetime  what runs keeps its procedure alive.
class HARRIER_EXPORT procedure_registry {
 public:
  using procedure = std::function<task<void>(chunk_item)>;

  procedure_registry();
  ~procedure_registry();
  procedure_registry(const procedure_registry&) = delete;
  procedure_registry& operator=(const procedure_registry&) = delete;

  /// Throws std::invalid_argument if there is one of that name.
  void add(std::string name, procedure body);
  bool contains(const std::string& name) const;

  /// Runs the items of a chunk as a batch on `rt`. Item i of the batch is item of.items.first + i of
  /// the chunk. Throws unknown_procedure, and what runtime::dispatch() throws.
  batch<void> dispatch(runtime& rt, const chunk& of, dispatch_options options = {}) const;
  /// Runs a chunk on `rt` to its end and tells how it was. Both outlive the coroutine. A cancel cancels
  /// the items.
  task<acknowledgement> execute(runtime& rt, chunk of, dispatch_options options = {}) const;

 private:
  std::shared_ptr<const procedure> find(const std::string& name) const;

  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const procedure>> procedures_;  // guarded by mutex_
};

}  // namespace harrier
