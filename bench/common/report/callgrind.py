# SPDX-License-Identifier: Apache-2.0
"""Instructions per operation, counted by callgrind: the same on a busy machine.

Each program runs at two sizes and the difference is divided by the difference in operations, so that
starting up counts for nothing. One worker, because valgrind runs one thread at a time anyway."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import build
from figures import number

CONTENDERS = ("harrier", "harrier_on_tbb", "tbb", "serial")
MOST_FUNCTIONS = 4

Subject = collections.namedtuple("Subject", "program parameter small large")
SUBJECTS = {
    "fib": Subject("fib", "FIB_N", 16, 21),
    "skynet": Subject("skynet", "SKYNET_DEPTH", 3, 4),
    "uts_geometric": Subject("tree_search", "UTS_DEPTH", 5, 8),
    "flat_batch": Subject("flat_batch", "FLAT_BATCH_N", 10_000, 110_000),
    "awaited_child": Subject("awaited_child", "AWAITED_CHILD_N", 1000, 11000),
    "spawn_join": Subject("spawn_join", "SPAWN_JOIN_N", 1000, 11000),
    "runner_reentry": Subject("runner_reentry", "RUNNER_REENTRY_N", 1000, 11000),
}


def count_all(native, chosen):
    """The instructions of every subject that the command line picks, as a part of a report."""
    # valgrind 3.19 stops at AVX-512, which -march=native may use.
    tree = build.Tree(native.name, native.jobs, march="x86-64-v3", suffix="-callgrind")
    if not chosen.no_build or not tree.path.exists():
        tree.build()
    rows = []
    for workload, subject in SUBJECTS.items():
        if chosen.filter.search(workload):
            rows += count_workload(tree, workload, subject, chosen)
    return {"compiler": native.name, "version": tree.version, "flags": tree.flags, "rows": rows}


def count_workload(tree, workload, subject, chosen):
    counted = {contender: per_operation(tree, workload, contender, subject)
               for contender in CONTENDERS
               if chosen.contender.search(contender) or contender == "tbb"}
    of_tbb = counted["tbb"].total()
    return [{"workload": workload, "contender": contender, "workers": 1,
             "instructions_per_op": functions.total(),
             "instructions_ratio_to_tbb": functions.total() / of_tbb,
             "functions": most_costly(functions)}
            for contender, functions in counted.items()]


def most_costly(functions):
    return [{"function": name, "instructions_per_op": count}
            for name, count in functions.most_common(MOST_FUNCTIONS)
            if count > functions.total() / 100]


def per_operation(tree, workload, contender, subject):
    """Instructions per operation of each function: a Counter."""
    first, first_operations = count(tree, workload, contender, subject, subject.small)
    second, second_operations = count(tree, workload, contender, subject, subject.large)
    second.subtract(first)
    operations = second_operations - first_operations
    return collections.Counter({name: more / operations for name, more in second.items()})


def count(tree, workload, contender, subject, size):
    environment = {**os.environ, f"HARRIER_BENCH_{subject.parameter}": str(size),
                   "HARRIER_BENCH_ONCE": "1", "HARRIER_BENCH_COLD": "1"}
    with tempfile.TemporaryDirectory() as folder:
        profile = pathlib.Path(folder) / "profile"
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}",
                   "--compress-strings=no", "--compress-pos=no",
                   tree.path / "bench" / f"bench_{subject.program}",
                   f"--benchmark_filter=^{workload}/{contender}/1/", "--benchmark_format=json"]
        done = subprocess.run(command, text=True, capture_output=True, env=environment)
        if done.returncode != 0 or not profile.exists():
            sys.exit(f"bench/report: callgrind on {workload}/{contender}: {done.stderr[-500:]}")
        functions = self_costs(profile.read_text(encoding="utf-8"))
    return functions, json.loads(done.stdout)["benchmarks"][0]["ops"]


def self_costs(profile):
    """The instructions of each function itself, from callgrind's own format: a line `fn=NAME`, then
    a line `LINE COST` for each source line. The line after `calls=` has what the callee cost."""
    costs = collections.Counter()
    function = library = ""
    is_call = False
    for line in profile.splitlines():
        if line.startswith("ob="):
            library = pathlib.PurePath(line[3:]).name
        elif line.startswith("fn="):
            function = readable(line[3:], library)
        elif line.startswith("calls="):
            is_call = True
        elif line[:1].isdigit():
            if not is_call:
                costs[function] += int(line.split()[1])
            is_call = False
    return costs


def readable(function, library):
    """The name without parameters and template arguments; a library's own if it has none."""
    if function.startswith("_ZN"):  # too new for valgrind to demangle
        function = "::".join(nested_names(function[3:]))
    if function.startswith("0x") or function == "???":
        return library
    # callgrind numbers the levels of a recursion with a quote.
    name = function.partition("'")[0].replace("(anonymous namespace)", "anonymous")
    name = re.sub(r" \[.*\]$| \(\..*\)$", "", name)
    while (shorter := re.sub(r"<[^<>]*>|\([^()]*\)( const)?", "", name)) != name:
        name = shorter
    return name.split(" ")[-1].replace("anonymous::", "") or function


def nested_names(mangled):
    """The names at the front of a mangled one, each of which has its length before it."""
    while length := re.match(r"\d+", mangled):
        end = length.end() + int(length[0])
        yield mangled[length.end():end]
        mangled = mangled[end:]


def markdown(counted):
    lines = [f"Instructions per operation, 1 worker, {counted['version']}, {counted['flags']}", "",
             "| workload | contender | instructions | to tbb | of which in |", "|---|---|---|---|---|"]
    for row in counted["rows"]:
        functions = ", ".join(f"`{each['function']}` {number(round(each['instructions_per_op'], 1))}"
                              for each in row["functions"])
        lines.append(f"| {row['workload']} | {row['contender']} | {row['instructions_per_op']:.1f} | "
                     f"{row['instructions_ratio_to_tbb']:.3f} | {functions} |")
    return "\n".join(lines)
