# SPDX-License-Identifier: Apache-2.0
"""The report as a picture: harrier's ratio to oneTBB in every workload, as an SVG by hand.

A bar starts at 1, which is as fast as oneTBB, and goes left where harrier is faster, right where it
is slower. The scale is logarithmic, so that half and twice the time are equally long bars. Colours
follow the reader's light or dark scheme and carry nothing alone: side and number say the same."""

import math
from xml.sax.saxutils import escape

from figures import count_of, ratio

CONTENDER = "harrier"
WIDTH = 800
LABELS = 250  # where the names end
BARS = 266, 730  # from where to where bars may go; right of them are the numbers
NUMBERS = 784
TOP = 92
ROW = 22
BAR = 12
BOTTOM = 44

STYLE = """
  svg { --surface: #fcfcfb; --ink: #1b1b1a; --soft: #5f5e5a; --grid: #e2e1dd;
        --faster: #2a6fc9; --slower: #c2571a; }
  @media (prefers-color-scheme: dark) {
    svg { --surface: #1a1a19; --ink: #f2f1ed; --soft: #a8a69f; --grid: #383835;
          --faster: #6aa5ec; --slower: #e58a52; }
  }
  text { font: 12px system-ui, sans-serif; fill: var(--ink); }
  .title { font-size: 15px; font-weight: 600; }
  .soft { fill: var(--soft); }
  .surface { fill: var(--surface); }
  .grid { stroke: var(--grid); }
  .one { stroke: var(--soft); stroke-width: 1.5; }
  .faster { fill: var(--faster); }
  .slower { fill: var(--slower); }
  .target { stroke: var(--ink); stroke-width: 2; }
"""


def svg(document):
    compiler = next(iter(document["compilers"]))
    rows = charted(document, compiler)
    scale = Scale([row["ratio_to_tbb"] for row in rows] + list(targets_of(document, compiler).values()))
    height = TOP + ROW * len(rows) + BOTTOM
    version = document["compilers"][compiler]["version"]
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" role="img" aria-label="harrier\'s time divided by '
             f'oneTBB\'s, for each workload">', f"<style>{STYLE}</style>",
             f'<rect class="surface" width="{WIDTH}" height="{height}"/>',
             text(16, 26, "Time of harrier divided by oneTBB's", "title"),
             text(16, 46, f"{version}; sizes: {document['size']}; medians of {document['rounds']} "
                  "rounds.", "soft"),
             text(16, 64, "The upright tick is the target, where one is set as a ratio.", "soft")]
    parts += grid(scale, height - BOTTOM)
    for index, row in enumerate(rows):
        target = targets_of(document, compiler).get((row["workload"], row["workers"]))
        parts += bar(row, TOP + ROW * index, scale, target)
    parts += [text(scale.x(1) - 8, height - 12, "faster", "soft", "end"),
              text(scale.x(1) + 8, height - 12, "slower", "soft"), "</svg>"]
    return "\n".join(parts) + "\n"


def charted(document, compiler):
    rows = [row for row in document["rows"]
            if row["compiler"] == compiler and row["contender"] == CONTENDER
            and (row["ratio_to_tbb"] or 0) > 0 and row["median_ns_per_op"] is not None]
    return sorted(rows, key=lambda row: (row["workload"], row["workers"]))


def targets_of(document, compiler):
    """The ratio that each workload and number of workers must reach."""
    return {(each["workload"], each["workers"]): each["must"] for each in document["targets"]
            if each["metric"] == "ratio_to_tbb" and each["contender"] == CONTENDER
            and each["compiler"] == compiler}


class Scale:
    """From a ratio to a place: logarithmic, from a power of ten to a power of two beyond 1."""

    def __init__(self, ratios):
        self.least = 10.0 ** math.floor(math.log10(min([0.5, *ratios])))
        self.most = 2.0 ** math.ceil(math.log2(max([1.5, *ratios])))

    def x(self, value):
        part = math.log(value / self.least) / math.log(self.most / self.least)
        return round(BARS[0] + part * (BARS[1] - BARS[0]), 1)

    def ticks(self):
        decades = range(round(math.log10(self.least)), 1)
        doublings = range(1, round(math.log2(self.most)) + 1)
        # A few of many doublings will do.
        step = max(1, len(doublings) // 4)
        return [10.0 ** power for power in decades] + [2.0 ** power for power in doublings[::step]]


def grid(scale, bottom):
    parts = []
    for tick in scale.ticks():
        x = scale.x(tick)
        kind = "one" if tick == 1 else "grid"
        parts.append(f'<line class="{kind}" x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{bottom}"/>')
        parts.append(text(x, bottom + 14, f"{tick:g}", "soft", "middle"))
    return parts


def bar(row, top, scale, target):
    value = row["ratio_to_tbb"]
    end, one = scale.x(value), scale.x(1)
    is_faster = value <= 1
    name = f"{row['workload']}, {count_of(row['workers'], 'worker')}"
    middle = top + BAR / 2
    parts = [text(LABELS, middle + 4, name, "", "end"),
             f'<rect class="{"faster" if is_faster else "slower"}" x="{min(end, one)}" y="{top}" '
             f'width="{max(abs(one - end), 1):.1f}" height="{BAR}" rx="2"/>',
             text(NUMBERS, middle + 4, ratio(value), "", "end")]
    if target is not None:
        x = scale.x(target)
        parts.append(f'<line class="target" x1="{x}" y1="{top - 3}" x2="{x}" y2="{top + BAR + 3}"/>')
    return parts


def text(x, y, words, kind, anchor="start"):
    return f'<text class="{kind}" x="{x}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'
