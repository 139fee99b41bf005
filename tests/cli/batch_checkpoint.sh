#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier batch --checkpoint`: what is finished is skipped, and the checksum is that of the rest.
. "$(dirname "$0")/common"
cd "$work"

fields="coroutines workers=2 seconds ns_per_coroutine coroutines_per_second peak_rss_bytes
  threads_started loops_created frames_peak steals"

# batch SKIPPED CHECKSUM
batch() {
  run 0 "$HARRIER" batch -n 100k -w 2 --work mixed --checkpoint kept --json
  expect_quiet
  expect_json $fields checksum="$2" skipped="$1"
}

batch 0 4999950000
batch 100000 0

# The deadline cuts it off, the next run does what is left. Items that sleep need a second and more here.
rm kept
run 124 "$HARRIER" batch -n 1k -w 1 --work sleep --window 1 --checkpoint kept --checkpoint-every 5ms \
  --deadline 100ms
expect_error "the deadline came after"
expect_no_output
run 0 "$HARRIER" batch -n 1k -w 2 --work sleep --checkpoint kept --json
[ "$(json /skipped)" -lt 1000 ] || fail "the deadline did not cut it off"

run 1 "$HARRIER" batch -n 1001 -w 2 --work sleep --checkpoint kept
expect_error "is of another batch: its total is 1000, not 1001"
run 1 "$HARRIER" batch -n 1k --work noop --checkpoint kept
expect_error "its name is harrier batch sleep, not harrier batch noop"

run 124 "$HARRIER" batch -n 1k -w 1 --work sleep --window 1 --deadline 50ms
expect_error "of 1000 coroutines"

# A line of progress at the end at least, for whoever wants it.
run 0 "$HARRIER" batch -n 10 --progress json
grep -q '"completed":10,"skipped":0,"total":10,.*"done":true' "$work/err" || fail "no progress"
run 0 "$HARRIER" batch -n 10 --workers 2 --window auto --progress json
grep -q '"window":2048,' "$work/err" || fail "no automatic window"
run 0 "$HARRIER" batch -n 10 --window 7 --progress json
grep -q '"window":7,' "$work/err" || fail "no window"
run 0 "$HARRIER" batch -n 10 --progress none
expect_quiet
