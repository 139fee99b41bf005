# SPDX-License-Identifier: Apache-2.0
"""Which rows meet bench/targets.csv."""

import csv

import build


def judge(rows):
    """A verdict per target and row that it speaks of: aim, must or miss."""
    return [verdict(target, row) for target in read() for row in rows if speaks_of(target, row)]


def read():
    with open(build.ROOT / "bench" / "targets.csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


def speaks_of(target, row):
    fits = all(target[name] in ("*", str(row[name])) for name in ("workload", "contender", "workers"))
    return fits and bounds(target, row) is not None and measured(target["metric"], row) is not None


def bounds(target, row):
    """must and aim for this row's compiler. Targets are set for clang; g++ is held to its ratio to
    clang, and to figures that do not depend on time."""
    must = float(target["must"])
    aim = float(target["aim"]) if target["aim"] else None
    depends_on_time = target["metric"] == "ns" or target["metric"].startswith("ratio_to_")
    if row["compiler"] == "gcc" and target["metric"] != "ratio_to_clang":
        if depends_on_time:
            return None
        if "(g++ 12: " in target["source"]:
            must = float(target["source"].partition("(g++ 12: ")[2].rstrip(")"))
    return must, aim


def measured(metric, row):
    if metric == "ns":
        return row["median_ns_per_op"]
    if metric == "rss_above_mb":
        return row["rss_above_payload_bytes"] / 1e6
    if metric == "peak_mb":
        return row["peak_rss_bytes"] / 1e6
    if metric.startswith("counter:"):
        return row["counters"].get(metric.partition(":")[2])
    return row.get(metric)


def verdict(target, row):
    must, aim = bounds(target, row)
    value = measured(target["metric"], row)
    if value > must:
        said = "miss"
    else:
        said = "aim" if aim is not None and value <= aim else "must"
    return {
        "compiler": row["compiler"],
        "workload": row["workload"],
        "contender": row["contender"],
        "workers": row["workers"],
        "metric": target["metric"],
        "measured": value,
        "must": must,
        "aim": aim,
        "verdict": said,
        "source": target["source"],
    }
