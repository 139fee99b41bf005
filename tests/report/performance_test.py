# SPDX-License-Identifier: Apache-2.0
"""The page: what it says follows from the figures, what is worse included."""

import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

from support import FIGURES, REPORT, ROOT, document

import performance
import workloads

COUNTED = {"compiler": "clang", "version": "clang 19", "flags": "-O3", "rows": [
    {"workload": "fib", "contender": "harrier", "workers": 1, "instructions_per_op": 44.0,
     "instructions_ratio_to_tbb": 0.11,
     "functions": [{"function": "fib", "instructions_per_op": 43.0}]}]}


class Page(unittest.TestCase):
    def test_says_where_harrier_is_slower(self):
        page = performance.page(document(FIGURES))
        self.assertIn("Of 3 rows, harrier is faster than oneTBB in 2, as fast within 5% in 0, and slower in "
                      "1.", page)
        self.assertIn("- heat, 2 workers: 1.50 of oneTBB's time", page)

    def test_shows_what_onetbb_has_nothing_for(self):
        self.assertIn("| timers | 1 | 300 ns |  |", performance.page(document(FIGURES)))

    def test_has_every_target_with_its_verdict(self):
        page = performance.page(document(FIGURES))
        self.assertIn("| clang fib, 2 workers | ratio_to_tbb | 0.2 | 0.2 | 0.15 | must met |", page)
        late = performance.page(document({**FIGURES, ("fib", "harrier", 2): (40, 40, 40)}))
        self.assertIn("| clang fib, 2 workers | ratio_to_tbb | 0.8 | 0.2 | 0.15 | **missed** |", late)

    def test_doubts_itself_only_when_there_is_reason(self):
        self.assertNotIn("with care", performance.page(document(FIGURES)))
        page = performance.page(document(FIGURES, size="quick", rounds=1, commit="12 with changes"))
        self.assertIn("sizes are `quick`", page)
        self.assertIn("only 1 round;", page)
        self.assertIn("not committed", page)

    def test_relates_instructions_to_time(self):
        page = performance.page(document(FIGURES, instructions=COUNTED))
        self.assertIn("| fib | harrier | 44.0 | 0.110 | `fib` 43 |", page)
        self.assertIn("| fib | harrier | 44 | 22 | 2.0 |", page)
        self.assertNotIn("Where the time goes", performance.page(document(FIGURES)))

    def test_explains_each_measured_workload_and_no_other(self):
        page = performance.page(document(FIGURES))
        self.assertIn("| heat | Jacobi iteration", page)
        self.assertNotIn("bench/skynet", page)


class Workloads(unittest.TestCase):
    def test_every_folder_says_in_its_head_what_it_is(self):
        for folder, sentence, names in workloads.folders():
            self.assertGreater(len(sentence), 10, folder)
            sources = [path.read_text() for path in (ROOT / "bench" / folder).glob("*.cpp")]
            for name in names:
                self.assertTrue(any(f'"{name}"' in source for source in sources), (folder, name))


class FromFile(unittest.TestCase):
    def test_writes_page_and_chart_without_measuring(self):
        with tempfile.TemporaryDirectory() as folder:
            stored = pathlib.Path(folder, "report.json")
            report = document(FIGURES)
            stored.write_text(json.dumps(report))
            subprocess.run([sys.executable, "-B", REPORT, "--from", stored, "--docs", folder, "--json",
                            pathlib.Path(folder, "again.json")], check=True, stdout=subprocess.PIPE)
            self.assertEqual(pathlib.Path(folder, "performance.md").read_text(),
                             performance.page(report))
            self.assertTrue(pathlib.Path(folder, "performance.svg").read_text().startswith("<svg "))
            self.assertEqual(json.loads(pathlib.Path(folder, "again.json").read_text()), report)

    def test_a_missing_file_is_an_error_that_names_it(self):
        done = subprocess.run([sys.executable, "-B", REPORT, "--from", "/nowhere/report.json"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn("bench/report: [Errno 2]", done.stderr)
        self.assertIn("/nowhere/report.json", done.stderr)


if __name__ == "__main__":
    unittest.main()
