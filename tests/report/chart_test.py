# SPDX-License-Identifier: Apache-2.0
"""The chart is well-formed, has a bar for each ratio and a tick for each target, all within it."""

import unittest
import xml.etree.ElementTree

from support import FIGURES, document

import chart

SVG = "{http://www.w3.org/2000/svg}"


def drawn(report, kind, element):
    root = xml.etree.ElementTree.fromstring(chart.svg(report))
    return [each for each in root.iter(SVG + element) if each.get("class") in kind]


class Chart(unittest.TestCase):
    def test_faster_is_to_the_left_of_one_and_slower_to_its_right(self):
        report = document(FIGURES)
        one = float(drawn(report, ["one"], "line")[0].get("x1"))
        faster = drawn(report, ["faster"], "rect")
        slower = drawn(report, ["slower"], "rect")
        self.assertEqual((len(faster), len(slower)), (2, 1))  # fib twice, heat once
        for bar in faster:
            self.assertAlmostEqual(float(bar.get("x")) + float(bar.get("width")), one, delta=0.2)
        self.assertAlmostEqual(float(slower[0].get("x")), one, delta=0.2)

    def test_a_target_that_is_a_ratio_has_a_tick(self):
        self.assertEqual(len(drawn(document(FIGURES), ["target"], "line")), 2)

    def test_names_are_escaped(self):
        report = document(FIGURES, compilers={"clang": {"version": "<&>", "flags": ""}})
        self.assertIn("&lt;&amp;&gt;", chart.svg(report))

    def test_extreme_ratios_stay_inside(self):
        report = document({("fib", "harrier", 1): (0.001,), ("fib", "tbb", 1): (10,),
                           ("heat", "harrier", 1): (900,), ("heat", "tbb", 1): (1,)})
        for bar in drawn(report, ["faster", "slower"], "rect"):
            self.assertGreaterEqual(float(bar.get("x")), chart.BARS[0])
            self.assertLessEqual(float(bar.get("x")) + float(bar.get("width")), chart.BARS[1] + 0.1)

    def test_a_report_without_ratios_is_still_a_picture(self):
        self.assertEqual(drawn(document({("timers", "harrier", 1): (3,)}), ["faster"], "rect"), [])


if __name__ == "__main__":
    unittest.main()
