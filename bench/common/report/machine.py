# SPDX-License-Identifier: Apache-2.0
"""What was measured, where and when: the head of a report."""

import datetime
import os
import pathlib
import shlex
import subprocess
import sys

import build


def describe(trees, chosen):
    return {
        "command": shlex.join(["bench/report", *sys.argv[1:]]),
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": {
            "processor": field("/proc/cpuinfo", "model name"),
            "cores": cores(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "system": system_name(),
            "kernel": os.uname().release,
            "load_at_start": os.getloadavg()[0],
        },
        "compilers": {tree.name: {"version": tree.version, "flags": tree.flags} for tree in trees},
        "tbb": package_version("libtbb12"),
        "benchmark": package_version("libbenchmark-dev"),
        "size": chosen.size,
        "rounds": chosen.rounds,
        "seed": chosen.seed,
    }


def cores():
    return len(os.sched_getaffinity(0))


def commit():
    head = output("git", "-C", build.ROOT, "rev-parse", "--short=12", "HEAD")
    changed = output("git", "-C", build.ROOT, "status", "--porcelain")
    return (head or "none") + (" with changes" if changed else "")


def output(*command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    return done.stdout.strip() if done.returncode == 0 else ""


def field(path, name):
    for line in pathlib.Path(path).read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return "unknown"


def system_name():
    for line in pathlib.Path("/etc/os-release").read_text(encoding="utf-8").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return "Linux"


def package_version(package):
    return output("dpkg-query", "-W", "-f", "${Version}", package) or "unknown"
