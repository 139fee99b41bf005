# SPDX-License-Identifier: Apache-2.0
"""The contenders of `harrier compare` in asyncio; the program embeds this file and runs it.

Arguments: most coroutines per round, rounds, seconds per round. Prints one JSON object.
"""
import json
import sys

version = "%d.%d.%d" % sys.version_info[:3]
if sys.version_info < (3, 11):
    print(json.dumps({"version": version, "contenders": []}))
    sys.exit(0)

import asyncio
import statistics
import time

most_coroutines = int(sys.argv[1])
rounds = int(sys.argv[2])
round_seconds = float(sys.argv[3])

loops_created = 0
create_loop = asyncio.BaseEventLoop.__init__


def count_and_create_loop(self, *args, **kwargs):
    global loops_created
    loops_created += 1
    create_loop(self, *args, **kwargs)


asyncio.BaseEventLoop.__init__ = count_and_create_loop


async def answer(index):
    return index


def loop_per_coroutine(count):
    return sum(asyncio.run(answer(i)) for i in range(count))


def wrapper_coroutine(count):
    async def wrapper():
        total = 0
        for i in range(count):
            total += await answer(i)
        return total

    return asyncio.run(wrapper())


def runner(count):
    with asyncio.Runner() as one:
        return sum(one.run(answer(i)) for i in range(count))


def batch(count):
    # asyncio has no batches; the nearest is gather(), a thousand at a time to bound the memory.
    async def gather_all():
        total = 0
        for first in range(0, count, 1000):
            chunk = range(first, min(first + 1000, count))
            total += sum(await asyncio.gather(*[answer(i) for i in chunk]))
        return total

    return asyncio.run(gather_all())


def measure(contender, count):
    global loops_created
    loops_created = 0
    start = time.perf_counter()
    total = contender(count)
    seconds = time.perf_counter() - start
    if total != count * (count - 1) // 2:
        raise RuntimeError("wrong sum of results")
    return seconds


def count_that_fits(contender):
    count = 16
    while True:
        count = min(count, most_coroutines)
        seconds = min(measure(contender, count) for repeat in range(3))
        if count == most_coroutines or seconds > round_seconds / 4:
            return max(1, min(most_coroutines, int(count * round_seconds / seconds)))
        count *= 4


contenders = [loop_per_coroutine, wrapper_coroutine, runner, batch]
counts = [count_that_fits(contender) for contender in contenders]
seconds = [[] for contender in contenders]
loops = [0 for contender in contenders]
for round_number in range(rounds):
    for i in range(len(contenders)):
        at = (i + round_number) % len(contenders)
        seconds[at].append(measure(contenders[at], counts[at]))
        loops[at] = loops_created

figures = [
    {
        "name": contender.__name__,
        "ns_per_coroutine": statistics.median(times) * 1e9 / count,
        "loops_created": loop_count,
        "coroutines": count,
    }
    for contender, times, loop_count, count in zip(contenders, seconds, loops, counts)
]
# asyncio.run() always creates a poller with its loop: one measurement answers for both.
figures.insert(1, dict(figures[0], name="loop_per_coroutine_with_poller"))
print(json.dumps({"version": version, "contenders": figures}))
