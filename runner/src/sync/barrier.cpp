// SPDX-License-Identifier: Apache-2.0
#include <harrier/sync/barrier.hpp>

namespace harrier {

namespace {

std::uint64_t checked(std::ptrdiff_t parties) {
  if (parties < 1) {
    throw invalid_count("a barrier needs at least one party");
  }
  return static_cast<std::uint64_t>(parties);
}

}  // namespace

template <class Family>
basic_barrier<Family>::basic_barrier(std::ptrdiff_t parties)
    : line_(0), parties_(checked(parties)) {}

template <class Family>
void basic_barrier<Family>::send_away(std::uint64_t next) {
  binding_.check("local_barrier");
  detail::waiter_queue woken;
  line_.enter();
  line_.queue().hand_all(woken, detail::wait_outcome::refused);
  line_.leave(next);
  detail::wake_waiters(woken);
}

namespace detail {

template <class Family>
bool barrier_awaiter<Family>::publish() noexcept {
  auto& line = barrier_.line_;
  const std::uint64_t now = line.enter();
  if (now == basic_barrier<Family>::broken) {
    outcome = wait_outcome::refused;
    line.leave(now);
    return suspended(wait_start::taken);
  }
  position_ = static_cast<std::size_t>(now);
  if (now + 1 < barrier_.parties_) {
    if (!begin_wait()) {
      outcome = wait_outcome::withdrawn;
      line.leave(now);
      return suspended(wait_start::cancelled);
    }
    line.queue().push_back(*this);
    line.leave(now + 1);
    return suspended(wait_start::waits);
  }
  waiter_queue woken;
  // The places are given now: who was cancelled before has none.
  for (std::size_t place = 0; !line.queue().empty(); ++place) {
    static_cast<barrier_awaiter&>(*line.queue().front()).position_ = place;
    line.queue().hand_front(woken, wait_outcome::granted);
  }
  line.leave(0);
  wake_waiters(woken);
  return suspended(wait_start::taken);
}

template <class Family>
withdrawal barrier_awaiter<Family>::withdraw(ready_node& node) noexcept {
  auto& self = static_cast<barrier_awaiter&>(node);
  auto& line = self.barrier_.line_;
  const std::uint64_t now = line.enter();
  if (self.outcome != wait_outcome::queued) {
    line.leave(now);
    return withdrawal::too_late;
  }
  line.queue().remove(self, wait_outcome::withdrawn);
  line.leave(now - 1);
  return withdrawal::taken;
}

template <class Family>
std::size_t barrier_awaiter<Family>::await_resume() {
  settle([] { return true; });  // the round has ended without it, or is broken
  if (outcome == wait_outcome::refused) {
    throw broken_barrier();
  }
  return position_;
}

template <class Family>
void barrier_awaiter<Family>::tell(const ready_node& node, wait_facts& facts) {
  facts.object = &static_cast<const barrier_awaiter&>(node).barrier_;
}

template <class Family>
const ready_operations barrier_awaiter<Family>::operations_table =
    suspension::wait_table("barrier::wait", withdraw, tell);

template class barrier_awaiter<any_loop>;
template class barrier_awaiter<one_loop>;

}  // namespace detail

template class basic_barrier<detail::any_loop>;
template class basic_barrier<detail::one_loop>;

}  // namespace harrier
