#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier batch`: every kind of work ends with the sum of the indices, and the figures are there.
. "$(dirname "$0")/common"
fields="seconds:number ns_per_coroutine:number coroutines_per_second:number peak_rss_bytes:integer
  threads_started:integer loops_created:integer frames_peak:integer steals:integer"

for kind in noop yield sleep compute mixed; do
  for workers in 1 2; do
    run 0 "$HARRIER" batch --coroutines 1.001k --workers $workers --work $kind --json
    expect_quiet "$kind on $workers workers"
    expect_json coroutines=1001 workers=$workers checksum=500500 $fields
    loops=$(json /loops_created)
    [ "$loops" -ge 1 ] && [ "$loops" -le $workers ] || fail "$loops loops for $workers workers"
    [ "$(json /threads_started)" -le $workers ] || fail "more threads than workers"
  done
done

run 0 "$HARRIER" batch --coroutines 1 --json
expect_json coroutines=1 workers:integer checksum=0 $fields

for count in 250k 0.25M 2.5e5 250000; do
  run 0 "$HARRIER" batch -n $count -w 2 --json
  expect_json coroutines=250000 workers=2 checksum=31249875000 $fields
done

run 0 "$HARRIER" batch --coroutines 10000 --workers 2 --work mixed
expect_quiet
for text in "10,000 coroutines (mixed) on 2 workers" "per coroutine" "loops created" "49995000"; do
  grep -qF -e "$text" "$work/out" || fail "the report does not say '$text'"
done
