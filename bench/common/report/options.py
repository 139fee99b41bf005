# SPDX-License-Identifier: Apache-2.0
"""The command line of bench/report."""

import argparse
import os
import re

import machine


def parse():
    parser = argparse.ArgumentParser(
        prog="bench/report",
        description="Builds the benchmarks, runs every contender as a process of its own in random "
        "interleaving, and prints medians, ratios to oneTBB in the same round, memory and targets "
        "as Markdown.",
    )
    parser.add_argument("--compiler", choices=("clang", "gcc", "both"), default="both",
                        help="clang++-19, g++, or a table for each (default)")
    parser.add_argument("--rounds", type=positive, help="rounds (default 9; with --quick 3)")
    parser.add_argument("--filter", type=pattern, default=re.compile(""), metavar="REGEX",
                        help="only workloads in whose name REGEX occurs")
    parser.add_argument("--contender", type=pattern, default=re.compile(""), metavar="REGEX",
                        help="only contenders in whose name REGEX occurs")
    counts = parser.add_mutually_exclusive_group()
    counts.add_argument("--workers", type=workers, default="1,2", metavar="N,N",
                        help="numbers of workers (default 1,2)")
    counts.add_argument("--scaling", dest="workers", action="store_const",
                        const=",".join(map(str, scaling(machine.cores()))),
                        help="from one worker to one for each core: up to 8 each number, above that "
                        "the powers of two and the number of cores")
    parser.add_argument("--size", choices=("quick", "default", "official"),
                        help="sizes of the workloads (default official; with --quick default)")
    parser.add_argument("--quick", action="store_true", help="small sizes and 3 rounds: a first look")
    parser.add_argument("--min-time", type=float, default=0.2, metavar="SECONDS",
                        help="repeat a contender at least so long in each round (default 0.2)")
    parser.add_argument("--json", metavar="FILE", help="write the rows there, too")
    parser.add_argument("--svg", metavar="FILE", help="draw the ratios to oneTBB there, too")
    parser.add_argument("--docs", metavar="FOLDER",
                        help="write FOLDER/performance.md and its chart, too, with the instructions "
                        "counted that --callgrind counts")
    parser.add_argument("--from", dest="source", metavar="FILE",
                        help="measure nothing: read the report that --json wrote there")
    parser.add_argument("--check", action="store_true", help="exit status 1 if a `must` is missed")
    parser.add_argument("--seed", type=int, default=None, help="seed of the interleaving")
    parser.add_argument("--no-build", action="store_true", help="run what is built")
    parser.add_argument("--jobs", type=positive, default=os.cpu_count(), help="parallel compilations")
    parser.add_argument("--callgrind", action="store_true",
                        help="instead of times: instructions per operation of fib, skynet and other "
                        "workloads whose operations are small, on the first compiler")
    chosen = parser.parse_args()
    chosen.size = chosen.size or ("default" if chosen.quick else "official")
    chosen.rounds = chosen.rounds or (3 if chosen.quick else 9)
    if chosen.seed is None:
        chosen.seed = int.from_bytes(os.urandom(4), "little")
    return chosen


def compilers(chosen):
    return ("clang", "gcc") if chosen.compiler == "both" else (chosen.compiler,)


def scaling(cores):
    if cores <= 8:
        return list(range(1, cores + 1))
    powers = [1 << bits for bits in range(cores.bit_length()) if 1 << bits < cores]
    return powers + [cores]


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def workers(text):
    for number in text.split(","):
        positive(number)
    return text


def pattern(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"not a regular expression: {error}") from error
