# SPDX-License-Identifier: Apache-2.0
"""What is read from callgrind's profiles."""

import unittest

import support  # noqa: F401: finds the modules

import callgrind

PROFILE = """\
events: Ir

ob=/usr/bin/bench_fib
fl=fib.cpp
fn=bench::fib::(anonymous namespace)::fib(unsigned int) [clone .resume]
12 30
13 4
cfn=malloc
calls=2 40
13 500
14 1
ob=/usr/lib/libtbb.so.12
fn=0x00000000000123a0
0 7
fn=std::vector<std::pair<int, long>, x>::push_back(int const&)'2
3 9
"""


class Profile(unittest.TestCase):
    def test_a_function_has_its_own_cost_without_that_of_its_callees(self):
        costs = callgrind.self_costs(PROFILE)
        self.assertEqual(costs["bench::fib::fib"], 35)
        self.assertNotIn("malloc", costs)

    def test_a_library_without_symbols_counts_as_one(self):
        self.assertEqual(callgrind.self_costs(PROFILE)["libtbb.so.12"], 7)

    def test_template_arguments_and_recursion_levels_are_left_out(self):
        self.assertEqual(callgrind.self_costs(PROFILE)["std::vector::push_back"], 9)

    def test_a_name_that_nobody_demangled_is_cut_to_its_front(self):
        mangled = "_ZN7harrier6runner3runITkNS_9awaitableENS_4taskImEEEEDaT_"
        self.assertEqual(callgrind.readable(mangled, ""), "harrier::runner::run")


if __name__ == "__main__":
    unittest.main()
