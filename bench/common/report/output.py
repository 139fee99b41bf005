# SPDX-License-Identifier: Apache-2.0
"""The report as Markdown."""

import scaling
from figures import number

COLUMNS = ("workload", "contender", "workers", "median", "fastest", "spread", "to tbb (least-most)",
           "peak MB", "above payload MB", "targets")
MARKS = {"aim": "**aim met**", "must": "must met", "miss": "**MISS**"}


def markdown(document):
    parts = ["# Benchmarks", head(document)]
    for name, compiler in document["compilers"].items():
        parts.append(f"## {compiler['version']}\n\n`{compiler['flags']}`")
        parts.append(table(rows_of(document, name), document["targets"]))
        parts += frames(rows_of(document, name))
    if scaling.has_some(document["rows"]):
        parts.append("## Scaling\n\n" + scaling.markdown(document))
    parts.append(summary(document["targets"], document["size"]))
    return "\n\n".join(parts)


def rows_of(document, compiler):
    return [row for row in document["rows"] if row["compiler"] == compiler]


def head(about):
    machine = about["machine"]
    return "\n".join([
        f"{about['date']}, commit {about['commit']}. {machine['processor']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB, {machine['system']}, Linux {machine['kernel']}, load "
        f"{machine['load_at_start']:.2f} at the start. oneTBB {about['tbb']}, Google Benchmark "
        f"{about['benchmark']}.",
        f"Sizes: {about['size']}. {about['rounds']} rounds in random interleaving (seed "
        f"{about['seed']}), each contender a process of its own; medians over rounds, spread is the "
        "distance of the quartiles, ratios are medians of ratios to `tbb` in the same round with the "
        "same number of workers. Unit: ns per operation unless said; each workload's `config.hpp` "
        "says what an operation is. Memory is the process's peak resident size.",
    ])


def table(rows, verdicts):
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    for row in sorted(rows, key=lambda row: (row["workload"], row["workers"], row["contender"])):
        lines.append("| " + " | ".join(cells(row, verdicts)) + " |")
    return "\n".join(lines)


def frames(rows):
    """How large the coroutines of those workloads are that say so."""
    sizes = {f"{row['workload']} {row['counters']['frame_bytes']:.0f}": None
             for row in rows if "frame_bytes" in row["counters"]}
    return ["Bytes of a coroutine's frame, in blocks of 64: " + ", ".join(sizes) + "."] if sizes else []


def cells(row, verdicts):
    is_time = row["median_ns_per_op"] is not None
    return (
        row["workload"],
        row["contender"],
        str(row["workers"]),
        number(row["median_ns_per_op"]) if is_time else f"{number(row['value'])} {row['unit']}",
        number(row["min_ns_per_op"]),
        "" if row["spread"] is None else f"{row['spread'] * 100:.0f} %",
        ratio(row, "tbb"),
        f"{row['peak_rss_bytes'] / 1e6:.1f}",
        f"{row['rss_above_payload_bytes'] / 1e6:.1f}" if is_time else "",
        "; ".join(said(verdict) for verdict in verdicts if is_about(verdict, row)),
    )


def is_about(verdict, row):
    return all(verdict[name] == row[name] for name in ("compiler", "workload", "contender", "workers"))


def said(verdict):
    aim = "" if verdict["aim"] is None else f", aim {number(verdict['aim'])}"
    return (f"{MARKS[verdict['verdict']]}: {verdict['metric']} {number(verdict['measured'])} "
            f"(must {number(verdict['must'])}{aim})")


def ratio(row, other):
    name = f"ratio_to_{other}"
    if row.get(name) is None or row["contender"] == other:
        return ""
    return f"{row[name]:.2f} ({row[name + '_low']:.2f}-{row[name + '_high']:.2f})"


def summary(verdicts, size):
    if not verdicts:
        return "No row has a target."
    reserve = "" if size == "official" else " They are meant for the official sizes, not for these."
    missed = [verdict for verdict in verdicts if verdict["verdict"] == "miss"]
    counts = {name: sum(verdict["verdict"] == name for verdict in verdicts) for name in MARKS}
    lines = [f"## Targets\n\n{counts['aim']} at the aim, {counts['must']} at the must, "
             f"{counts['miss']} missed.{reserve}"]
    lines += [f"- {verdict['compiler']} {verdict['workload']}/{verdict['contender']}/"
              f"{verdict['workers']}: {said(verdict)}, {verdict['source']}" for verdict in missed]
    return "\n".join(lines)
