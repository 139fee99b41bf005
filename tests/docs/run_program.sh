#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run_program.sh PROGRAM EXPECTED: PROGRAM succeeds, and prints what EXPECTED holds if there is one.
set -u
actual=$("$1" && echo end) || { echo "$1 failed: $actual"; exit 1; }
[ -f "$2" ] || exit 0
printf '%s\n' "${actual%end}" | sed '$d' | diff -u "$2" -
