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
for count in -1 1000000001 1e30 x 10X 1.5 "" " 1" "0 " 0x 1kk nan inf 0x10 1.0000000000000000001; do
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
refused "--window: must be a whole number from 1 to 1,000,000" hash --window 0 .
refused "--window: must be a whole number from 0 to" batch --window -1
refused "or auto" batch --window autos
for time in 0 -1 1x ms "" 1e99 1e-12 nan; do
  refused "--deadline: must be a time" hash --deadline "$time" .
done
refused "--checkpoint requires --output" hash --checkpoint kept .
refused "--checkpoint-every requires --checkpoint" hash --checkpoint-every 1s .
refused "--checkpoint-every requires --checkpoint" batch --checkpoint-every 1s
for what in panic -1 1.5 101% -1% % 5x ""; do
  refused "--on-error: must be fail, collect, a number" hash --on-error "$what" .
  refused "--on-error: must be fail, collect, a number" batch --on-error "$what"
done
refused "--progress: " hash --progress loud .
refused "--progress: " batch --progress loud
refused "--retry: must be a whole number" hash --retry for-ever .
refused "--retry: must be a whole number from 0 to 100" batch --retry 101
refused "--rate: must be a whole number from 1 to" hash --rate 0 .
refused "--rate: must be a whole number from 1 to" batch --rate 0

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
