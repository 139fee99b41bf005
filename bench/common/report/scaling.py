# SPDX-License-Identifier: Apache-2.0
"""From one worker to many: ns per operation, and how many times as fast as one worker."""

from figures import number


def has_some(rows):
    return any("speed_up" in row for row in rows)


def markdown(document):
    workers = sorted({row["workers"] for row in document["rows"] if "speed_up" in row})
    lines = ["ns per operation, and in brackets the speed-up over one worker: the median of the pairs "
             "of a round.", "",
             "| compiler | workload | contender | 1 worker |"
             + "".join(f" {count} workers |" for count in workers),
             "|" + "---|" * (4 + len(workers))]
    for key, by_workers in grouped(document["rows"]):
        cells = [cell(by_workers.get(count)) for count in [1, *workers]]
        lines.append("| " + " | ".join([*key, *cells]) + " |")
    return "\n".join(lines)


def grouped(rows):
    """((compiler, workload, contender), {workers: row}) of what ran on several numbers of workers."""
    groups = {}
    for row in rows:
        key = row["compiler"], row["workload"], row["contender"]
        groups.setdefault(key, {})[row["workers"]] = row
    return sorted((key, found) for key, found in groups.items() if has_some(found.values()))


def cell(row):
    if row is None:
        return ""
    speed_up = f" ({row['speed_up']:.2f}x)" if "speed_up" in row else ""
    return number(row["median_ns_per_op"]) + speed_up
