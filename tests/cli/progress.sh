#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The progress line is on standard error, on a terminal only.
. "$(dirname "$0")/common"
run 0 "$HARRIER" batch --coroutines 1000 --work sleep --workers 1
expect_quiet "when piped"
run 0 "$HARRIER" hash /bin
expect_quiet "when piped"

command -v script >/dev/null || exit 0

# on_terminal COMMAND: with a terminal as standard error and $work/out as standard output.
on_terminal() {
  TERM=xterm script -qec "$1 >'$work/out'" /dev/null >"$work/terminal" </dev/null ||
    fail "failed on a terminal: $1"
}

on_terminal "'$HARRIER' batch --coroutines 400k --work sleep --workers 1 --json"
expect_json coroutines=400000 workers=1 checksum=79999800000 seconds ns_per_coroutine \
  coroutines_per_second peak_rss_bytes threads_started loops_created frames_peak steals
grep -q '%.*of 400 k sleep coroutines.*/s.*left' "$work/terminal" ||
  fail "no progress on a terminal: $(cat -v "$work/terminal")"
