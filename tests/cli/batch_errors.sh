#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier batch` with coroutines that fail: what is tried again, what failures mean, and SIGINT. Of
# 1000 `flaky` ones 100 fail once, 10 of these twice, and the last always.
. "$(dirname "$0")/common"
cd "$work"

fields="workers=2 seconds ns_per_coroutine coroutines_per_second peak_rss_bytes
  threads_started loops_created frames_peak steals"

# flaky STATUS ARGUMENT...
flaky() {
  status=$1
  shift
  run "$status" "$HARRIER" batch -n 1k -w 2 --work flaky --json "$@"
}

flaky 1
expect_error "is busy after"
expect_no_output "although the batch has failed"
flaky 1 --retry 3 --on-error fail
expect_error "the service of coroutine 999 is busy after"
flaky 1 --retry 3 --on-error 0
flaky 1 --retry 1 --on-error 9
flaky 1 --retry 1 --on-error 0.9%

flaky 0 --retry 3 --on-error 1
expect_quiet
expect_json $fields coroutines=1000 checksum=498501 failed=1 retried=111
flaky 0 --retry 1 --on-error 1%
expect_quiet
expect_json $fields coroutines=1000 checksum=494010 failed=10 retried=100
flaky 1 --on-error collect
expect_error "harrier: 100 coroutines failed; the first: the service of coroutine "
expect_json $fields coroutines=1000 checksum=449100 failed=100 retried=0

run 0 "$HARRIER" batch -n 1k --work flaky --retry 2 --on-error 1
grep -qF "for good; 110 were tried again" "$work/out" || fail "the report does not count them"

# The next run does again what has failed.
flaky 1 --on-error collect --checkpoint kept
expect_json $fields coroutines=1000 checksum=449100 skipped=0 failed=100 retried=0
flaky 0 --on-error 1 --retry 3 --checkpoint kept
expect_json $fields coroutines=1000 checksum=49401 skipped=900 failed=1 retried=111
rm kept

# One a second: all but one wait for their turn when the deadline comes.
run 124 "$HARRIER" batch -n 1k -w 2 --rate 1 --deadline 50ms
expect_error "the deadline came after"

# SIGINT: what has begun ends and is saved, nothing else begins.
"$HARRIER" batch -n 1k -w 2 --work sleep --rate 50 --checkpoint kept 2>interrupted &
pid=$!
wait_for test -s kept.lock
interrupt $pid "SIGINT"
ended=$(sed -n 's/^harrier: interrupted after \([0-9]*\) of 1000 .*/\1/p' interrupted)
[ "$ended" -lt 1000 ] || fail "not interrupted"
run 0 "$HARRIER" batch -n 1k -w 2 --work sleep --checkpoint kept --json
[ "$(json /skipped)" -eq "$ended" ] || fail "$ended were done before the interrupt, not $(json /skipped)"
rm kept

# The same without a checkpoint, as soon as SIGINT is caught.
"$HARRIER" batch -n 1k -w 2 --work sleep --rate 50 2>interrupted &
pid=$!
wait_for catches_interrupt $pid
interrupt $pid "SIGINT without a checkpoint"
grep -q '^harrier: interrupted after [0-9]* of 1000 coroutines$' interrupted ||
  fail "no word on how far it came: $(cat interrupted)"

# Twice: at once, although a thousand wait for their turn.
"$HARRIER" batch -n 1k -w 2 --window 1k --rate 1 --checkpoint kept 2>interrupted &
pid=$!
wait_for test -s kept.lock
kill -INT $pid
wait_for grep -q "once more" interrupted
interrupt $pid "SIGINT twice"
