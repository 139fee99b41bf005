// SPDX-License-Identifier: Apache-2.0
// An item that gives way without a record: a yield of an item that has never waited, nor asked for itself.
//
// Such an item needs nothing that a record has but its index, which stays in its promise. Its node, in the
// frame, is in the ready queue like any other; whoever runs it starts the item once more, so to say: with
// an item_source on the stack, from which a record is made when one is needed after all.
//
// Threads     the slot that has the node in its queue. Thieves move it like a task, but in no list.
// Invariant 1 it is in a ready queue, or runs: nothing can wake it, so no cancel has to take it back.
//             A cancel of its batch is found when it runs next, and thrown then, as for any yield.
// Invariant 2 its batch is not done, so neither is a runtime that comes to rest.
// Listing     who wants to name the live tasks makes records of those in the queues first, under the
//             slot's mutex; then they are tasks like all others.
// Rejected    the same for strict batches, and those of another class than the normal one: they go to
//             queues by what their record says. In debug mode, for the sake of reports.
#pragma once

#include <harrier/detail/ready_node.hpp>

namespace harrier {
class event_loop;
}

namespace harrier::detail {

extern const ready_operations given_way_operations;

inline bool has_given_way(const ready_node& node) noexcept {
  return node.operations == &given_way_operations;
}

/// Gives an item that has given way a record in the list of `home`, in whose queue it is. Under the slot's
/// mutex. Throws std::bad_alloc: nothing has changed.
void record_given_way(ready_node& node, event_loop& home);

}  // namespace harrier::detail
