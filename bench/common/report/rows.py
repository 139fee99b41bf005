# SPDX-License-Identifier: Apache-2.0
"""From samples to rows: medians, spreads, ratios paired by round."""

import statistics


def summarise(samples):
    """One row per compiler, workload, contender and workers, in the order they were listed."""
    by_key = {key(run): taken for run, taken in samples.items()}
    return [row(run, taken, by_key) for run, taken in samples.items() if taken]


def key(run):
    return run.tree.name, run.workload, run.contender, run.workers


def row(run, taken, by_key):
    amounts = [amount(sample) for sample in taken]
    is_time = "ns" in taken[0]
    peak = max(sample["peak_rss_bytes"] for sample in taken)
    result = {
        "compiler": run.tree.name,
        "workload": run.workload,
        "contender": run.contender,
        "workers": run.workers,
        "unit": taken[0]["unit"],
        "median_ns_per_op": statistics.median(amounts) if is_time else None,
        "min_ns_per_op": min(amounts) if is_time else None,
        "value": None if is_time else statistics.median(amounts),
        "spread": spread(amounts),
        "rounds": len(taken),
        "peak_rss_bytes": peak,
        "rss_above_payload_bytes": peak - taken[0].get("payload_bytes", 0),
        "counters": taken[-1]["counters"],
    }
    name, workload, _, workers = key(run)
    for other in ("tbb", "ideal", "plain", "alone", "futex", "serial"):
        # serial and futex have one thread; everybody is compared with that.
        base_workers = 1 if other in ("futex", "serial") else workers
        add_ratio(result, other, taken, by_key.get((name, workload, other, base_workers)))
    if name == "gcc":
        add_ratio(result, "clang", taken, by_key.get(("clang", *key(run)[1:])))
    add_speed_up(result, taken, by_key.get((name, workload, run.contender, 1)))
    # ratio_to_tbb is there in every row, so that readers of the JSON need not ask.
    result.setdefault("ratio_to_tbb", None)
    return result


def amount(sample):
    return sample["ns"] if "ns" in sample else sample["value"]


def add_ratio(result, other, taken, base):
    ratios = paired_ratios(taken, base or [])
    if ratios:
        result[f"ratio_to_{other}"] = statistics.median(ratios)
        result[f"ratio_to_{other}_low"] = min(ratios)
        result[f"ratio_to_{other}_high"] = max(ratios)


def add_speed_up(result, taken, alone):
    """How much faster than the same contender on one worker, in the same round."""
    ratios = paired_ratios(alone or [], taken)
    if result["workers"] > 1 and ratios and "ns" in taken[0]:
        result["speed_up"] = statistics.median(ratios)
        result["speed_up_low"] = min(ratios)
        result["speed_up_high"] = max(ratios)


def paired_ratios(taken, base):
    of_round = {sample["round"]: amount(sample) for sample in base}
    return [amount(sample) / of_round[sample["round"]] for sample in taken
            if of_round.get(sample["round"], 0) > 0]


def spread(amounts):
    """Distance of the quartiles as a part of the median: half of all rounds lie within it."""
    middle = statistics.median(amounts)
    if len(amounts) < 3 or middle == 0:
        return None
    low, _, high = statistics.quantiles(amounts, n=4, method="inclusive")
    return (high - low) / middle
