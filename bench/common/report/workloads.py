# SPDX-License-Identifier: Apache-2.0
"""What each workload is, in the words of its own config.hpp."""

import re

import build

BENCH = build.ROOT / "bench"
NAMED = re.compile(r"^//   (\w+)  +\S")


def folders():
    """(folder, sentence, workloads) of each folder, by the head of its config.hpp."""
    return [described(path) for path in sorted(BENCH.glob("*/config.hpp"))]


def described(path):
    head = paragraph(path.read_text(encoding="utf-8"))
    words, names = [], []
    for line in head:
        if named := NAMED.match(line):
            names.append(named.group(1))
        elif not line.startswith("//   "):
            words.append(line.removeprefix("// "))
    sentence = " ".join(words).partition(": ")[2].rstrip(":")
    return path.parent.name, sentence, names or [path.parent.name]


def paragraph(source):
    """The comment after the licence, up to its first empty line."""
    lines = source.splitlines()[1:]
    return lines[:lines.index("//")]
