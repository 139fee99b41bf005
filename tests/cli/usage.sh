#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad arguments: a clear message on standard error, nothing on standard output, exit status 2. Help
# and version: standard output and exit status 0.
. "$(dirname "$0")/common"

# refused TEXT ARGUMENT...
refused() {
  text=$1
  shift
  run 2 "$HARRIER" "$@"
  expect_error "$text"
  expect_error "--help"
  expect_no_output "with $*"
}

refused "a command is needed"
refused "frobnicate" frobnicate
refused "--frobnicate" --frobnicate
refused "--frobnicate" batch --frobnicate
refused "--coroutines: must be a whole number from 1 to 1,000,000,000" batch --coroutines 0
for count in -1 1000000001 1e30 x 10X 1.5 "" " 1" 1kk nan inf 0x10; do
  refused "--coroutines: must be a whole number" batch --coroutines "$count"
done
refused "--workers: must be a whole number from 1 to 1,024" batch --workers 0
refused "--workers: must be a whole number from 1 to 1,024" batch --workers 1025
refused "--workers: must be a whole number from 1 to 1,024" hash --workers 1025 .
refused "--workers: must be a whole number from 1 to 1,024" compare --workers many
refused "--work: " batch --work sleeping
refused "--work" batch --work
refused "stray" batch stray
refused "stray" compare stray
refused "PATH" hash
refused "--json" --json

run 0 "$HARRIER" --version
expect_quiet
grep -qE '^harrier [0-9]+\.[0-9]+\.[0-9]+$' "$work/out" || fail "the version"

for command in "" batch compare hash; do
  run 0 "$HARRIER" $command --help
  expect_quiet
  for text in Usage Examples "Exit status"; do
    grep -q "$text" "$work/out" || fail "harrier $command --help does not say '$text'"
  done
  run 0 "$HARRIER" $command -h
done
