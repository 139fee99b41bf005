// SPDX-License-Identifier: Apache-2.0
// Records are recycled like frames.
#pragma once

#include <harrier/detail/execution.hpp>
#include <harrier/detail/task_record.hpp>

#include <new>
#include <utility>

namespace harrier::detail {

HARRIER_EXPORT void* allocate_record_bytes();
HARRIER_EXPORT void free_record_bytes(void* memory) noexcept;

/// Throws std::bad_alloc.
template <class Record, class... Arguments>
Record& make_record_of(Arguments&&... arguments) {
  static_assert(sizeof(Record) <= record_bytes);
  execution* at = here();
  void* memory = at != nullptr ? at->frames.allocate(record_bytes) : allocate_record_bytes();
  return *::new (memory) Record(std::forward<Arguments>(arguments)...);
}

template <class Record>
void free_record(Record& record) noexcept {
  delete record.more.load(std::memory_order_acquire);  // [record:extras]
  record.~Record();
  if (execution* at = here()) {
    at->frames.free(&record, record_bytes);
  } else {
    free_record_bytes(&record);
  }
}

}  // namespace harrier::detail
