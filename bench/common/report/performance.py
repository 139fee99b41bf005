# SPDX-License-Identifier: Apache-2.0
"""docs/performance.md: a report as a page. Everything that is said here about figures is worked out
from the report, so that the words cannot be better than the numbers."""

import callgrind
import chart
import output
import scaling
import workloads
from figures import count_of, number, ratio

CLOSE = 0.05  # ratios so near to 1 say that neither is faster
VERDICTS = {"aim": "aim met", "must": "must met", "miss": "**missed**"}


def page(document):
    sections = [
        ("Performance", opening(document)),
        ("How it was measured", method(document)),
        ("Beside oneTBB", comparison(document)),
        ("Targets", targets(document)),
        ("More workers", more_workers(document)),
        ("Where the time goes", instructions(document)),
        ("The workloads", glossary(document)),
        ("All rows", all_rows(document)),
    ]
    text = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
    for level, (title, body) in zip(["#"] + ["##"] * len(sections), sections):
        if body:
            text += f"{level} {title}\n\n{body}\n\n"
    return text.rstrip("\n") + "\n"


def opening(document):
    rows = compared(document)
    slower = [row for row in rows if row["ratio_to_tbb"] > 1 + CLOSE]
    faster = [row for row in rows if row["ratio_to_tbb"] < 1 - CLOSE]
    close = len(rows) - len(slower) - len(faster)
    lines = ["This page is written by `bench/report --docs`; the next run overwrites it. It says what "
             "harrier costs beside raw oneTBB in the same minutes, also where it loses.", "",
             "![Time of harrier divided by oneTBB's, a bar for each workload](performance.svg)", "",
             f"Of {count_of(len(rows), 'row')}, harrier is faster than oneTBB in {len(faster)}, as fast "
             f"within {CLOSE:.0%} in {close}, and slower in {len(slower)}."]
    lines += [f"- {place(row)}: {ratio(row['ratio_to_tbb'])} of oneTBB's time"
              for row in sorted(slower, key=lambda row: -row["ratio_to_tbb"])]
    if slower:
        lines[-len(slower) - 1] += " The last are:\n"
    return "\n".join(lines + doubts(document))


def doubts(document):
    """What speaks against taking the figures as final."""
    found = []
    machine = document["machine"]
    if document["size"] != "official":
        found.append(f"the sizes are `{document['size']}`, and targets are meant for `official`")
    if document["rounds"] < 9:
        found.append(f"there were only {count_of(document['rounds'], 'round')}")
    if machine["load_at_start"] > 0.3 * machine["cores"]:
        found.append(f"others used the machine (load {machine['load_at_start']:.1f} on "
                     f"{count_of(machine['cores'], 'core')} before it began)")
    if "with changes" in document["commit"]:
        found.append("the tree had changes that are not committed")
    return ["", "Take them with care: " + "; ".join(found) + "."] if found else []


def method(document):
    compilers = "\n".join(f"- {each['version']}, `{each['flags']}`"
                          for each in document["compilers"].values())
    return (f"```sh\n{document['command']}\n```\n\n{output.head(document)}\n\n{compilers}\n\n"
            "The machine is what it is: trust ratios, which compare runs of the same minute, more than "
            "times, and look at the range before believing a difference of some percent.")


def comparison(document):
    parts = []
    for name, compiler in document["compilers"].items():
        lines = ["| workload | workers | harrier, ns | oneTBB, ns | ratio (least to most) | plain code "
                 "on one thread, ns |", "|---|---|---|---|---|---|"]
        lines += [compared_line(document, row) for row in compared(document, name)]
        parts.append(f"### {compiler['version']}\n\n" + "\n".join(lines))
        parts.append(alone(document, name))
    return "\n\n".join(part for part in parts if part)


def alone(document, compiler):
    """What has no counterpart in oneTBB."""
    rows = [row for row in output.rows_of(document, compiler)
            if row["contender"] == chart.CONTENDER and row["ratio_to_tbb"] is None]
    if not rows:
        return ""
    lines = ["oneTBB has nothing for these, or nothing that a ratio could be taken of:", "",
             "| workload | workers | harrier | plain code on one thread |", "|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row["workload"], row["workers"])):
        serial = find(document, row, "serial", 1)
        lines.append(f"| {row['workload']} | {row['workers']} | {amount(row)} | {amount(serial)} |")
    return "\n".join(lines)


def amount(row):
    if row is None:
        return ""
    value = row["value"] if row["median_ns_per_op"] is None else row["median_ns_per_op"]
    return f"{number(value)} {row['unit']}"


def compared(document, compiler=None):
    names = [compiler] if compiler else list(document["compilers"])
    return [row for name in names for row in chart.charted(document, name)]


def compared_line(document, row):
    tbb = find(document, row, "tbb", row["workers"])
    serial = find(document, row, "serial", 1)
    return (f"| {row['workload']} | {row['workers']} | {number(row['median_ns_per_op'])} | "
            f"{number(tbb and tbb['median_ns_per_op'])} | {ratio(row['ratio_to_tbb'])} "
            f"({ratio(row['ratio_to_tbb_low'])} to {ratio(row['ratio_to_tbb_high'])}) | "
            f"{number(serial and serial['median_ns_per_op'])} |")


def find(document, like, contender, workers):
    wanted = like["compiler"], like["workload"], contender, workers
    return next((row for row in document["rows"]
                 if (row["compiler"], row["workload"], row["contender"], row["workers"]) == wanted),
                None)


def targets(document):
    if not document["targets"]:
        return ""
    lines = ["A *must* is a promise of the project, an *aim* what it hopes for. A workload that is not "
             "here has no target yet.", "",
             "| where | what | measured | must | aim | |", "|---|---|---|---|---|---|"]
    lines += [f"| {each['compiler']} {place(each)} | {each['metric']} | {number(each['measured'])} | "
              f"{number(each['must'])} | {number(each['aim'])} | {VERDICTS[each['verdict']]} |"
              for each in document["targets"]]
    return "\n".join(lines)


def more_workers(document):
    if not scaling.has_some(document["rows"]):
        return ""
    crowded = [row for row in compared(document) if row["workers"] > document["machine"]["cores"]]
    text = scaling.markdown(document)
    if crowded:
        text += ("\n\nMore workers than cores: the kernel takes a core away from a worker that holds "
                 "work, and nobody can help it. Beside oneTBB with as many threads: ")
        text += ", ".join(f"{place(row)} {ratio(row['ratio_to_tbb'])}" for row in crowded) + "."
    return text


def instructions(document):
    counted = document.get("instructions")
    if not counted:
        return ""
    return (
        "Times say how long, not why. callgrind counts the instructions of an operation, which a busy "
        "machine does not change: each program runs at two sizes on one worker, and the difference is "
        "divided by that of the operations.\n\n"
        + callgrind.markdown(counted)
        + "\n\nInlining moves the cost of a callee to its caller, so that a coroutine's own function "
        "holds its share of fork, join and frame cache; a library without symbols has one name for "
        "all of it.\n\n### Instructions and time\n\n"
        "A processor that waits for nothing does about ten instructions in a nanosecond. Where there are "
        "much fewer, the time goes to what an instruction waits for: a locked operation, a line that "
        "another core has written, a mispredicted branch, memory, a system call. The two columns come "
        "from different builds (callgrind knows no AVX-512), so take the last as an order of "
        "magnitude.\n\n"
        + instructions_and_time(document, counted)
    )


def instructions_and_time(document, counted):
    lines = ["| workload | contender | instructions | ns on 1 worker | instructions in a ns |",
             "|---|---|---|---|---|"]
    for each in counted["rows"]:
        row = find(document, {**each, "compiler": counted["compiler"]}, each["contender"], 1)
        if row is None:
            continue
        rate = each["instructions_per_op"] / row["median_ns_per_op"]
        lines.append(f"| {each['workload']} | {each['contender']} | "
                     f"{number(each['instructions_per_op'])} | {number(row['median_ns_per_op'])} | "
                     f"{rate:.1f} |")
    return "\n".join(lines)


def glossary(document):
    measured = {row["workload"] for row in document["rows"]}
    lines = ["What an operation is, what would be unfair, and the sizes: at the head of each file.", "",
             "| workload | what it is | |", "|---|---|---|"]
    for folder, sentence, names in workloads.folders():
        if measured.intersection(names):
            lines.append(f"| {', '.join(names)} | {sentence} | "
                         f"[config.hpp](../bench/{folder}/config.hpp) |")
    return "\n".join(lines)


def all_rows(document):
    parts = [f"### {compiler['version']}, every contender\n\n"
             + output.table(output.rows_of(document, name), document["targets"])
             for name, compiler in document["compilers"].items()]
    return "\n\n".join(parts)


def place(row):
    whose = "" if row["contender"] == chart.CONTENDER else f" ({row['contender']})"
    return f"{row['workload']}{whose}, {count_of(row['workers'], 'worker')}"
