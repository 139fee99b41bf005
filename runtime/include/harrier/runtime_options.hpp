// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <harrier/clock.hpp>
#include <harrier/debug.hpp>
#include <harrier/detail/config.hpp>
#include <harrier/errors.hpp>
#include <harrier/pinning.hpp>
#include <harrier/signals.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace harrier {

/// The most workers that a runtime accepts.
inline constexpr std::size_t max_workers = 1024;

/// How many workers the process can keep busy: its affinity mask, at most its cgroup's CPU quota
/// rounded up, at least 1.
HARRIER_EXPORT std::size_t default_workers();

/// Where a runtime takes the threads for its slots from.
enum class thread_provider : std::uint8_t {
  /// Threads of its own, one for each slot, made with the first work and kept until the end.
  own_threads,
  /// oneTBB: a slot with work asks for a thread of a `tbb::task_arena` of `workers` threads, and the
  /// thread goes back to oneTBB when it finds nothing more to do, or after 10 ms, when it asks
  /// again behind what else oneTBB has to do. So coroutines, `offload`, the awaitable algorithms of
  /// harrier/parallel.hpp and the program's own use of oneTBB share one set of threads.
  ///
  /// A slot is not tied to a thread, but never has two. If oneTBB sends nobody for 10 to 20 ms,
  /// because its threads are busy or wait for coroutines, a thread of our own stands in: no
  /// coroutine waits for oneTBB for ever. oneTBB has one thread less than processors, as it
  /// counts on the one that calls it: a program that only waits for batches keeps one slot with a
  /// stand-in.
  /// Hooks    on_thread_start and on_thread_stop are called in pairs each time a thread enters and
  ///          leaves a slot. thread_factory is not used. Threads of oneTBB keep their names.
  /// Cost     about 3 us to enter a vacant slot; two small threads of our own: a watch, made with the
  ///          first work, and one that keeps the timers of vacant slots, made with the first.
  task_arena,
};

namespace detail {
/// What a default-made runtime_options names: a seam for tests.
extern HARRIER_EXPORT std::atomic<thread_provider> default_provider;
}  // namespace detail

/// How a runtime is made. The defaults suit most programs.
class HARRIER_EXPORT runtime_options {
 public:
  runtime_options();
  ~runtime_options();
  runtime_options(const runtime_options&);
  runtime_options(runtime_options&&) noexcept;
  runtime_options& operator=(const runtime_options&);
  runtime_options& operator=(runtime_options&&) noexcept;

  /// At most this many threads run coroutines at once, and at most this many loops exist; and
  /// `spare_workers`.
  std::size_t workers;
  /// How many tasks spawned from outside may wait for a worker before spawn() blocks; 0: any
  /// number.
  std::size_t queue_limit = 0;
  /// Called on each worker thread, with its number, before and after it serves, also on one that serves
  /// while that of the worker waits for a dropped fork (harrier/fork.hpp); under
  /// thread_provider::task_arena each time that a thread enters and leaves the slot. One that throws
  /// ends the program: a worker must not be lost in silence.
  std::function<void(std::size_t)> on_thread_start;
  std::function<void(std::size_t)> on_thread_stop;
  /// The most threads that offload_blocking() uses, and how long an idle one stays.
  std::size_t max_blocking_threads = 64;
  duration blocking_idle = std::chrono::seconds(10);
  /// Chooses the victims of thieves.
  std::uint64_t seed = 0x9e3779b97f4a7c15;
  /// The workers' clock; the steady clock if null. Outlives the runtime.
  clock* time = nullptr;
  /// Told of errors that nobody can receive; by default they are printed to stderr. Called on the
  /// thread where the error is dropped, and for as long as handles of this runtime's tasks and
  /// batches exist.
  std::function<void(const error_report&)> exception_handler;
  /// How long stop() lets a task ignore its cancel before it reports it by name and insists.
  duration grace = std::chrono::seconds(5);
  /// The signals to take, from the first work until stop() has ended. The first press is a request to
  /// stop: new work is refused, all that runs is cancelled, and what has not ended after the grace is
  /// reported, by name and by the lines where it waits, and cancelled again at each suspension. A
  /// second press ends the grace. Whoever is first sees to it: a thread of ordinary code that
  /// blocks in run(), wait() or get(), or a worker between two steps.
  ///
  /// A signal for which the program has set a handler, or which it ignores, is left alone.
  signals handle_signals = signals::none;
  debug_mode debug = debug_mode::from_environment;
  /// What counts as a slow step in debug mode, by the workers' clock.
  duration slow_step = std::chrono::milliseconds(100);
  /// If a thread of ordinary code blocks that long, by the steady clock, for a task, a batch or drain(),
  /// the handler is told what every task of this runtime waits for, at most once in that time. 0: never.
  /// What such a thread waits for is not asked: it may be the task of another runtime.
  duration watchdog{0};
  /// A signal at which the handler is told that, too: SIGUSR1, say. It is taken from the first work until
  /// stop() has ended; one for which the program, or another runtime, has set a handler, or which it
  /// ignores, is left alone. Whoever is first sees to it, as for `handle_signals`. 0: none. More than
  /// four at once are not served.
  int dump_signal = 0;
  /// If a worker stays in one step for that long, by the steady clock, the handler is told, once for each
  /// such step: which worker, for how long, the name of the task, and what the thread is at. 0: never.
  /// A step is what a task does between two waits; items of a batch that do not wait run several in one.
  ///
  /// For it a thread of its own is made with the first worker (runtime_metrics::watch_threads), which looks
  /// four times in that time. What the worker is at is asked by SIGURG, if the program leaves that signal
  /// alone, at the moment of the report only: calls that block go on, but for those that never restart,
  /// nanosleep() and poll() among them, which return EINTR. Threads of oneTBB (`provider`) are not watched.
  duration stalled_after{0};
  /// How many workers may be started beyond `workers` while all others, spare ones included, are in steps
  /// that last longer than `stalled_after`: because they block their threads, for what only a task that is
  /// queued can end, say. 0: none. One is started at each look of the watch that finds no other worker, and
  /// the handler is told: who blocks, and how many of how many were started; and once that no more may be.
  /// If its thread cannot be made, the handler is told, and it is tried again at the next look.
  ///
  /// A spare worker takes what it finds like any other: tasks from outside, what the blocked workers have
  /// ready, forked children and batch items that have not started. It stays until the end, and is woken
  /// last; nothing is dealt or sent to it unless its number (this_worker::id(), from `workers` on) is asked
  /// for. It is tied to no processor. What stays behind a blocked worker: docs/doctor.md#blocked-workers.
  ///
  /// Errors   std::invalid_argument from the runtime: without `stalled_after`; with
  ///          thread_provider::task_arena, which does not watch its threads, and has stand-ins; more than
  ///          max_workers in all.
  /// Cost     none to a step or an item. A few KiB for each that is never started.
  std::size_t spare_workers = 0;
  /// Whether worker threads are tied to cores or NUMA nodes. Those that are steal from near ones
  /// first: the same core, then the same L2, L3, node. Threads that a coroutine makes by itself
  /// inherit the tie, as always on Linux; those of offload() and offload_blocking() do not. Threads of
  /// oneTBB (`provider`) are left as they are.
  harrier::pinning pinning = harrier::pinning::none;
  /// What the machine looks like; usable_processors() if empty. Asked once, when the first thread
  /// starts, and only with pinning: a seam for tests.
  std::function<std::vector<processor>()> processors;
  /// The part of the memory that is in use, from 0 to 1: at 0.9 and more automatic windows of batches become
  /// smaller. If empty the system is asked: the cgroup (version 2) of the process, its address space, the
  /// machine. Called on a worker, four times a second at most; if it throws, memory is not short. A seam for
  /// tests, and for a program that knows better.
  std::function<double()> memory_used;
  /// Where the slots take their threads from.
  thread_provider provider;
  /// Makes the worker threads: a seam for tests.
  std::function<std::thread(std::function<void()>)> thread_factory;
};

}  // namespace harrier
