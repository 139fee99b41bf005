# SPDX-License-Identifier: Apache-2.0
"""What the tests of the report share: its modules, and a report made up from a few figures."""

import argparse
import collections
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
REPORT = ROOT / "bench" / "common" / "report"
sys.path.insert(0, str(REPORT))

import rows  # noqa: E402
import rounds  # noqa: E402
import targets  # noqa: E402

Tree = collections.namedtuple("Tree", "name")


def run(workload, contender, workers, compiler="clang"):
    return rounds.Run(Tree(compiler), f"bench_{workload}", workload, contender, workers)


def samples(*ns):
    """A sample for each time, one in a round."""
    return [{"round": number, "ns": each, "unit": "ns", "payload_bytes": 0, "peak_rss_bytes": 5_000_000,
             "counters": {}} for number, each in enumerate(ns, 1)]


def document(measured, **changes):
    """A report on `measured`, which maps (workload, contender, workers) to a time for each round."""
    table = rows.summarise({run(*key): samples(*ns) for key, ns in measured.items()})
    return {
        "command": "bench/report --rounds 9",
        "date": "2026-11-24 12:00 UTC",
        "commit": "0123456789ab",
        "machine": {"processor": "a processor", "cores": 2, "memory_gib": 4.0, "system": "a system",
                    "kernel": "6.1", "load_at_start": 0.0},
        "compilers": {"clang": {"version": "clang 19", "flags": "-O3"}},
        "tbb": "2021.8", "benchmark": "1.7", "size": "official", "rounds": 9, "seed": 1,
        "rows": table, "targets": targets.judge(table), **changes,
    }


FIGURES = {
    ("fib", "harrier", 1): (20, 22, 30), ("fib", "harrier", 2): (10, 11, 10),
    ("fib", "tbb", 1): (100, 100, 100), ("fib", "tbb", 2): (50, 50, 50),
    ("fib", "serial", 1): (1, 1, 1),
    ("timers", "harrier", 1): (300, 300, 300),
    ("heat", "harrier", 2): (6, 6, 6), ("heat", "tbb", 2): (4, 4, 4),
}


def options(**chosen):
    return argparse.Namespace(**chosen)
