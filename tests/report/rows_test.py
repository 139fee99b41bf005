# SPDX-License-Identifier: Apache-2.0
"""From samples to rows, and from rows to the table of numbers of workers."""

import unittest

from support import FIGURES, document, run, samples

import options
import rows
import scaling


def row_of(table, workload, contender, workers):
    return next(row for row in table if (row["workload"], row["contender"], row["workers"])
                == (workload, contender, workers))


class Rows(unittest.TestCase):
    def test_ratio_and_speed_up_are_medians_of_pairs_of_a_round(self):
        table = document(FIGURES)["rows"]
        two = row_of(table, "fib", "harrier", 2)
        self.assertEqual(two["ratio_to_tbb"], 10 / 50)
        self.assertEqual(two["speed_up"], 2.0)  # of 20/10, 22/11, 30/10
        self.assertEqual((two["speed_up_low"], two["speed_up_high"]), (2.0, 3.0))

    def test_one_worker_and_a_workload_without_one_have_no_speed_up(self):
        table = document(FIGURES)["rows"]
        self.assertNotIn("speed_up", row_of(table, "fib", "harrier", 1))
        self.assertNotIn("speed_up", row_of(table, "heat", "harrier", 2))

    def test_speed_up_skips_rounds_that_lack_one_side(self):
        alone, both = run("fib", "harrier", 1), run("fib", "harrier", 2)
        table = rows.summarise({alone: samples(40), both: samples(10, 1)})
        self.assertEqual(row_of(table, "fib", "harrier", 2)["speed_up_high"], 4.0)

    def test_scaling_table_has_a_column_for_each_number_of_workers(self):
        text = scaling.markdown(document(FIGURES))
        self.assertIn("| 1 worker | 2 workers |", text)
        self.assertIn("| clang | fib | harrier | 22 | 10 (2.00x) |", text)
        self.assertNotIn("timers", text)


class Options(unittest.TestCase):
    def test_scaling_goes_to_the_last_core_and_skips_where_there_are_many(self):
        self.assertEqual(options.scaling(1), [1])
        self.assertEqual(options.scaling(3), [1, 2, 3])
        self.assertEqual(options.scaling(8), [1, 2, 3, 4, 5, 6, 7, 8])
        self.assertEqual(options.scaling(12), [1, 2, 4, 8, 12])
        self.assertEqual(options.scaling(16), [1, 2, 4, 8, 16])


if __name__ == "__main__":
    unittest.main()
