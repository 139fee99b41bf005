// SPDX-License-Identifier: Apache-2.0
// The records of batch items that suspended: one is made at the first real suspension.
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/item_start.hpp>
#include <harrier/detail/node_record.hpp>
#include <harrier/detail/record_memory.hpp>
#include <harrier/detail/worker_slot.hpp>

#include <utility>

namespace harrier::detail {

task_record& item_source::make_item(record_source& self, promise_base& root) {
  auto& source = static_cast<item_source&>(self);
  execution& at = *here();
  worker_slot& slot = *at.slot;
  event_loop& loop = *at.loop;
  item_record& record = make_record_of<item_record>(root, loop, source.index);
  root.set_record(record);
  record.context = std::exchange(source.context, source.batch.context().lend());
  at.context = &record.context;
  source.made = true;
  set_placing(record, priority_bits(source.batch.urgency()) |
                          (source.batch.is_strict() ? task_record::bound : 0));
  batch_lane& lane = source.batch.lane(slot.index());
  bump(lane.started);
  // relaxed: this slot's thread alone writes it
  lane.live.store(lane.live.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  loop.live().add(record);
  if (source.batch.is_cancelled()) {
    record.cancel(nullptr);
  }
  return record;
}

void left_by_item(execution& at, item_source& source) noexcept {
  source.made = false;
  at.context = &source.context;
  release_finished(at);
}

const record_operations item_record::operations_table{
    {[](ready_node& node, execution& at) {
       task_record::arrive_cancel(static_cast<task_record&>(node), at);
     },
     nullptr, [](ready_node& node) noexcept { static_cast<task_record&>(node).drop_reference(); },
     false},
    item_record::finish,
    item_record::destroy,
    false};

void item_record::finish(task_record& record, execution& at) noexcept {
  end_in_step(at, record);
  record_list::remove(record);
  if (record.is_unheld()) [[likely]] {
    // Off the list, and held by nobody else, it is out of reach: no read-modify-write. relaxed: nobody
    // asks whether it is done
    const std::uint32_t now = record.state.load(std::memory_order_relaxed);
    record.state.store(with_phase(now, done), std::memory_order_relaxed);
  } else {
    record.end();
  }
  auto& batch = *static_cast<batch_core*>(record.root->owner);
  batch.finish_suspended(*at.slot, *record.root, record.item_index());
}

void item_record::destroy(task_record& record) noexcept {
  record.root->handle().destroy();
  free_record(static_cast<item_record&>(record));
}

}  // namespace harrier::detail
