// SPDX-License-Identifier: Apache-2.0
// The records of batch items that suspended: one is made at the first real suspension. And the items
// that give way and have none (detail/given_way.hpp).
#include <harrier/detail/batch_core.hpp>
#include <harrier/detail/given_way.hpp>
#include <harrier/detail/item_start.hpp>
#include <harrier/detail/node_record.hpp>
#include <harrier/detail/record_memory.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/worker_slot.hpp>
#include <harrier/yield.hpp>

#include <new>
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
  source.left = true;
  set_placing(record, priority_bits(source.batch.urgency()) |
                          (source.batch.is_strict() ? task_record::bound : 0));
  source.count(slot);
  loop.live().add(record);
  if (source.batch.is_cancelled()) {
    record.cancel(nullptr);
  }
  return record;
}

void item_source::count(worker_slot& slot) noexcept {
  if (!counted) {
    batch_lane& lane = batch.lane(slot.index());
    bump(lane.started);
    add_to(lane.live, 1);
  }
}

void left_by_item(execution& at, item_source& source) noexcept {
  source.left = false;
  at.context = &source.context;
  release_finished(at);
}

const record_operations item_record::operations_table{
    {task_record::arrive_cancel, nullptr,
     [](ready_node& node) noexcept { static_cast<task_record&>(node).drop_reference(); }, false},
    item_record::finish,
    item_record::destroy,
    false};

bool item_source::give_way(record_source& self, suspension& node, promise_base& root,
                           promise_base& of) {
  auto& source = static_cast<item_source&>(self);
  execution& at = *here();
  // A context of the item's own, or one that a child has around itself, needs a record to keep it.
  if (!source.batch.may_give_way() || source.batch.is_cancelled() ||
      at.context != &source.context || source.context.is_counted()) [[unlikely]] {
    return yield_with_record(node, of);
  }
  worker_slot& slot = *at.slot;
  source.left = true;
  source.count(slot);
  root.leave_index(source.index);
  node.operations = &given_way_operations;
  slot.queue_given_way(node);
  slot.core().notify_local();
  return true;
}

namespace {

void run_given_way(ready_node& node, execution& at) {
  auto& self = static_cast<suspension&>(node);
  promise_base& root = promise_base::of(self.waiter).chain_root();
  auto& batch = *static_cast<batch_core*>(root.owner);
  at.slot->flush_before_step(&batch);
  item_source source(batch, root.index_left());
  root.set_source(source);
  context_word* const outer = std::exchange(at.context, &source.context);
  if (batch.is_cancelled()) [[unlikely]] {
    try {
      self.record = &root.record();  // the cancel is due in it
    } catch (const std::bad_alloc&) {  // the next suspension tries again
    }
  }
  resume(at, self.waiter);
  at.context = outer;
  if (!source.left) {
    const bool was_cancelled = batch.is_cancelled() && root.result == result_kind::value;
    batch.finish_suspended(*at.slot, root, source.index, was_cancelled);
    root.handle().destroy();
  }
}

/// What a yield without a record becomes once it has one.
constexpr ready_operations recorded_operations{suspension::run, nullptr, nullptr, true};

}  // namespace

const ready_operations given_way_operations{run_given_way, nullptr, nullptr, true};

void record_given_way(ready_node& node, event_loop& home) {
  auto& self = static_cast<suspension&>(node);
  promise_base& root = promise_base::of(self.waiter).chain_root();
  auto& batch = *static_cast<batch_core*>(root.owner);
  item_record& record = make_record_of<item_record>(root, home, root.index_left());
  root.set_record(record);
  record.context = batch.context().lend();
  self.record = &record;
  self.operations = &recorded_operations;
  home.live().add_held(record);
  if (batch.is_cancelled()) {
    record.cancel(nullptr);
  }
}

const batch_core* item_record::batch_of(ready_node& node) noexcept {
  if (!node.operations->stealable) {
    return nullptr;
  }
  const task_record& record = record_of(node);
  return record.operations == &operations_table.ready ? static_cast<batch_core*>(record.root->owner)
                                                      : nullptr;
}

void item_record::finish(task_record& record, execution& at) noexcept {
  end_in_step(at, record);
  record_list::remove(record);
  if (record.is_unheld()) [[likely]] {
    record.end_out_of_reach();
  } else {
    record.end();
  }
  auto& batch = *static_cast<batch_core*>(record.root->owner);
  const bool was_cancelled = record.cancel_is_due() && record.ended_cancelled();
  batch.finish_suspended(*at.slot, *record.root, record.item_index(), was_cancelled);
}

void item_record::destroy(task_record& record) noexcept {
  record.root->handle().destroy();
  free_record(static_cast<item_record&>(record));
}

}  // namespace harrier::detail
