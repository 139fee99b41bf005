# SPDX-License-Identifier: Apache-2.0
"""Runs the benchmarks: each contender in a process of its own, once a round, in an order drawn anew
for every round, both compilers in the same rounds. So a slow minute of the machine hits everybody,
and ratios are taken within a round."""

import collections
import json
import os
import random
import re
import subprocess
import sys
import time

QUANTITY_ROUNDS = 3  # bytes and idle processor time hardly vary, and take long

Run = collections.namedtuple("Run", "tree executable workload contender workers")
Run.name = property(lambda run: f"{run.workload}/{run.contender}/{run.workers}")


def listed(tree, chosen):
    """The benchmarks of a tree that the command line picks."""
    runs = []
    for executable in tree.executables():
        names = subprocess.run([executable, "--benchmark_list_tests"], check=True, text=True,
                               capture_output=True, env=environment(chosen)).stdout.split()
        for name in names:
            workload, contender, workers = name.split("/")[:3]
            if chosen.filter.search(workload) and chosen.contender.search(contender):
                runs.append(Run(tree, executable, workload, contender, int(workers)))
    return runs


def measure(runs, chosen):
    """A list of samples, one per round, for each run."""
    order = random.Random(chosen.seed)
    samples = {run: [] for run in runs}
    for number in range(1, chosen.rounds + 1):
        turn = [run for run in runs if wants_more(samples[run], number)]
        order.shuffle(turn)
        start = time.monotonic()
        for position, run in enumerate(turn, 1):
            progress(f"round {number} of {chosen.rounds}, {position} of {len(turn)}: "
                     f"{run.tree.name} {run.name}")
            sample = measure_once(run, chosen)
            if sample is not None:
                samples[run].append({"round": number, **sample})
        progress(f"round {number} of {chosen.rounds} took {time.monotonic() - start:.0f} s", end="\n")
    return samples


def wants_more(so_far, number):
    is_quantity = so_far and "value" in so_far[0]
    failed = number > 1 and not so_far
    return not failed and not (is_quantity and len(so_far) >= QUANTITY_ROUNDS)


def measure_once(run, chosen):
    command = [run.executable, f"--benchmark_filter=^{re.escape(run.name)}/",
               "--benchmark_format=json", f"--benchmark_min_time={chosen.min_time}"]
    done = subprocess.run(command, text=True, capture_output=True, env=environment(chosen))
    if done.returncode != 0:
        print(f"\nbench/report: {run.name} ended with {done.returncode}: {done.stderr[-500:]}",
              file=sys.stderr)
        return None
    return sample_of(json.loads(done.stdout)["benchmarks"][0])


# What Google Benchmark itself reports; every other number is one of our counters.
KNOWN = {"name", "run_name", "run_type", "repetitions", "repetition_index", "threads", "iterations",
         "real_time", "cpu_time", "time_unit", "family_index", "per_family_instance_index", "label",
         "aggregate_name", "per_op", "ops", "peak_rss", "payload", "value"}


def sample_of(result):
    sample = {
        "peak_rss_bytes": result["peak_rss"],
        "counters": {name: value for name, value in result.items() if name not in KNOWN},
    }
    if "value" in result:
        return {**sample, "value": result["value"], "unit": result["label"]}
    return {**sample, "ns": result["real_time"] / result["ops"], "unit": "ns",
            "payload_bytes": result["payload"]}


def environment(chosen):
    return {**os.environ, "HARRIER_BENCH_SIZE": chosen.size,
            "HARRIER_BENCH_WORKERS": chosen.workers}


def progress(text, end=""):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)
    elif end:
        print(text, file=sys.stderr, flush=True)
