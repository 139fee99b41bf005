// SPDX-License-Identifier: Apache-2.0
// Tasks that go to one worker and no other: spawned there, or moved there by themselves.
//
// Threads     any thread sends; the thread of the slot takes.
// Invariant 1 a task on its way is in its queue and in no list of live tasks. It moves under
//             moving(), so a sweep finds it in one of the two.
// Protocol    sender: (s1) queue it (s2) read the sleeper's mark.
//             sleeper: (p1) set it (p2) look at its queue, in worker_slot::sees_work().
//             All four are sequentially consistent: at least one side sees the other. A slot without
//             a loop is about to start, and looks before it first sleeps.
// Rejected    the inbox of the slot's loop: the loop is made by its thread, and a task may come
//             before. Linking the task to the list of the other slot at once: that slot would pay
//             for a barrier.
#include <harrier/detail/blocking_wait.hpp>
#include <harrier/detail/runtime_core.hpp>
#include <harrier/detail/unlisted_record.hpp>

#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

namespace harrier::detail {

void runtime_core::check_worker(std::size_t worker, const char* call) const {
  const std::size_t known =
      workers() + spare_threads_.load(std::memory_order_acquire);  // [core:spare]
  if (worker >= known) {
    throw std::out_of_range(std::string(call) + ": worker is " + std::to_string(worker) +
                            "; this runtime has " + std::to_string(known) + ", numbered from 0");
  }
}

void runtime_core::require_thread(std::size_t worker, const char* call) {
  if (has_thread(worker)) {  // a thread that was started stays
    return;
  }
  const std::scoped_lock guard(mutex_);
  if (refusing_) {
    throw runtime_stopped();
  }
  start_threads(worker + 1);
  if (threads_ <= worker) {
    throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                            std::string(call) + ": worker " + std::to_string(worker) +
                                " has no thread, and none could be started");
  }
}

void runtime_core::wait_in_lobby(std::unique_lock<owned_mutex>& lobby, const injection_queue& queue,
                                 const char* call) {
  blocking_wait::refuse_in_loop(call);
  room_.wait(lobby, [&] { return has_room(queue); });
}

task_record& runtime_core::spawn_on(std::size_t worker, promise_base& root,
                                    const spawn_request& request) {
  check_worker(worker, "runtime::spawn_on");
  if (is_stopped()) {
    throw runtime_stopped();
  }
  require_thread(worker, "runtime::spawn_on");
  const std::uint32_t placing = priority_bits(request.urgency) | task_record::bound;
  worker_slot* inside = this_slot();
  if (inside == &slot(worker)) {
    event_loop& loop = *inside->loop();
    task_record& record = make_unlisted_root_record(root, loop, request.name);
    complete(record, request, placing);
    loop.live().add(record);  // from here on others may read it
    loop.enqueue(record);
    return record;
  }
  unlisted_record fresh(root, lobby_, request.name);
  injection_queue& queue = slot(worker).addressed();
  std::unique_lock lock(lobby_mutex_);
  const bool is_limited = inside == nullptr || &inside->core() != this;
  if (is_limited && !has_room(queue)) {
    wait_in_lobby(lock, queue, "runtime::spawn_on with a full queue");
  }
  if (refusing_) {
    throw runtime_stopped();
  }
  task_record& record = fresh.keep();
  complete(record, request, placing);
  ++handed_in_;
  queue.push(record, request.urgency);
  lock.unlock();
  slot(worker).wake();
  return record;
}

void runtime_core::send(ready_node& node, task_record& record, std::size_t worker) noexcept {
  {
    const std::scoped_lock moving(this_slot()->moving());
    record_list::remove(record);
    const std::scoped_lock guard(lobby_mutex_);
    slot(worker).addressed().push(node, priority_of(placing_of(record)));
  }
  slot(worker).wake();
}

bool runtime_core::take_addressed(worker_slot& to) noexcept {
  injection_queue::pack room;
  std::span<ready_node* const> taken;
  const std::scoped_lock moving(to.moving());
  {
    const std::scoped_lock guard(lobby_mutex_);
    taken = to.addressed().take(room, room.size());
    if (!taken.empty() && options_.queue_limit != 0) {
      room_.notify_all();
    }
  }
  to.take_over(taken);
  return !taken.empty();
}

}  // namespace harrier::detail
