# SPDX-License-Identifier: Apache-2.0
"""The measured builds: static libraries, -O3 -march=native, no LTO, one tree per compiler."""

import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMPILERS = {"clang": "clang++-19", "gcc": "g++"}


class Tree:
    """build/report-NAME. `march` differs only where valgrind does not know this machine's."""

    def __init__(self, name, jobs, march="native", suffix=""):
        self.name = name
        self.jobs = jobs
        self.march = march
        self.compiler = COMPILERS[name]
        self.path = ROOT / "build" / f"report-{name}{suffix}"

    @property
    def flags(self):
        return f"-O3 -DNDEBUG -march={self.march}, static, no LTO"

    @property
    def version(self):
        first_line = subprocess.run([self.compiler, "--version"], check=True, text=True,
                                    capture_output=True).stdout.splitlines()[0]
        return first_line.strip()

    def build(self):
        print(f"bench/report: building {self.path.relative_to(ROOT)}", file=sys.stderr)
        self._call("cmake", "-S", ROOT, "-B", self.path, "-G", "Ninja", "--log-level=WARNING",
                   "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_FLAGS_RELEASE=-O3 -DNDEBUG",
                   f"-DCMAKE_CXX_COMPILER={self.compiler}", f"-DCMAKE_CXX_FLAGS=-march={self.march}",
                   "-DBUILD_SHARED_LIBS=OFF", "-DHARRIER_BUILD_TESTS=OFF",
                   "-DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF")
        self._call("ninja", "--quiet", "-C", self.path, "-j", str(self.jobs), "benchmarks")

    def executables(self):
        return sorted(path for path in (self.path / "bench").glob("bench_*")
                      if path.is_file() and path.suffix == "")

    @staticmethod
    def _call(*command):
        # What a build prints is no part of the report.
        status = subprocess.run([str(word) for word in command], stdout=sys.stderr).returncode
        if status != 0:
            sys.exit(f"bench/report: {command[0]} failed")
