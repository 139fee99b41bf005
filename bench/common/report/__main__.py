# SPDX-License-Identifier: Apache-2.0
"""bench/report: every contender of every workload, interleaved, beside oneTBB and the targets."""

import json
import pathlib
import sys

import build
import callgrind
import chart
import machine
import options
import output
import performance
import rounds
import rows
import targets


def main():
    chosen = options.parse()
    if chosen.source:
        publish(json.loads(pathlib.Path(chosen.source).read_text(encoding="utf-8")), chosen)
        return 0
    trees = [build.Tree(name, chosen.jobs) for name in options.compilers(chosen)]
    if chosen.callgrind:
        counted = callgrind.count_all(trees[0], chosen)
        print(callgrind.markdown(counted))
        if chosen.json:
            write(chosen.json, as_json({"rows": counted["rows"]}))
        return 0

    for tree in trees:
        if not chosen.no_build:
            tree.build()
    runs = [run for tree in trees for run in rounds.listed(tree, chosen)]
    if not runs:
        print("bench/report: no benchmark matches", file=sys.stderr)
        return 2
    document = machine.describe(trees, chosen)
    samples = rounds.measure(runs, chosen)
    document["rows"] = rows.summarise(samples)
    document["targets"] = targets.judge(document["rows"])
    if chosen.docs:
        document["instructions"] = callgrind.count_all(trees[0], chosen)
    publish(document, chosen)

    failed = [run for run in samples if not samples[run]]
    for run in failed:
        print(f"bench/report: {run.name} on {run.tree.name} gave no result", file=sys.stderr)
    missed = any(verdict["verdict"] == "miss" for verdict in document["targets"])
    return 1 if failed or (chosen.check and missed) else 0


def publish(document, chosen):
    """Writes a report in every form that was asked for; as Markdown to standard output always."""
    print(output.markdown(document))
    if chosen.json:
        write(chosen.json, as_json(document))
    if chosen.svg:
        write(chosen.svg, chart.svg(document))
    if chosen.docs:
        folder = pathlib.Path(chosen.docs)
        write(folder / "performance.svg", chart.svg(document))
        write(folder / "performance.md", performance.page(document))


def as_json(value):
    return json.dumps(value, indent=1) + "\n"


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        sys.exit(f"bench/report: {error}")
