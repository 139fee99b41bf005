// SPDX-License-Identifier: Apache-2.0
#include <harrier/offload.hpp>

#include <harrier/detail/runtime_core.hpp>

namespace harrier::detail {

const ready_operations offload_suspension::operations_table =
    suspension::wait_table("offload", offload_suspension::withdraw);

offload_suspension::offload_suspension(offload_to where,
                                       void (*work)(blocking_call&) noexcept) noexcept
    : offload_suspension(operations_table, where, work) {}

offload_suspension::offload_suspension(const ready_operations& table, offload_to where,
                                       void (*work)(blocking_call&) noexcept) noexcept
    : suspension(table), blocking_call(work), where_(where) {}

bool offload_suspension::publish() {
  worker_slot* slot = this_slot();
  if (slot == nullptr) {
    throw no_running_loop("offload outside a runtime's worker");
  }
  if (!begin_wait()) {
    return false;
  }
  // Once handed over, another thread may resume the coroutine: nothing here is touched afterwards.
  blocking_call& call = *this;
  try {
    if (where_ == offload_to::blocking_pool) {
      slot->core().blocking_pool().submit(call);
    } else {
      slot->core().offload(call);
    }
  } catch (...) {  // not handed over: undone, and thrown in the coroutine
    abandon_wait();
    throw;
  }
  return true;
}

void offload_suspension::called() noexcept { detail::wake(*this); }

}  // namespace harrier::detail
