#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A closed pipe ends the program quietly; a full disk, or no standard output at all, is an error.
. "$(dirname "$0")/common"
mkdir "$work/in"
cd "$work/in"
i=0
while [ $i -lt 3000 ]; do
  echo $i >file$i
  i=$((i + 1))
done

"$HARRIER" hash . 2>"$work/err" | head -n 1 >"$work/out"
expect_quiet "when the pipe was closed"
sha256sum ./file0 >"$work/expected"
cmp -s "$work/expected" "$work/out" || fail "the first line is not that of the first file"

# The same for a caller that ignores SIGPIPE, as some do for all their children.
(
  trap '' PIPE
  status=0
  "$HARRIER" hash . 2>"$work/err" || status=$?
  echo $status >"$work/status"
) | head -n 1 >"$work/out"
expect_quiet "when the pipe was closed and SIGPIPE ignored"
[ "$(cat "$work/status")" -eq 141 ] || fail "exit status $(cat "$work/status"), not 141"

# It ends without waiting for what is still being read: a pipe that nobody writes. The lines before it
# are more than fits in the pipe to head.
long=$(printf '%0200d' 0)
mkdir "$long"
mv file1?? file2?? file3?? file4?? "$long"
mkfifo "$work/never"
sleep 60 >"$work/never" &
writer=$!
start=$(date +%s)
"$HARRIER" hash "$long" "$work/never" 2>"$work/err" | head -n 1 >"$work/out"
kill $writer 2>/dev/null || true
expect_quiet "when the pipe was closed with a read under way"
[ $(($(date +%s) - start)) -lt 30 ] || fail "did not end while a read was under way"

if [ -w /dev/full ]; then
  for arguments in "hash ." "hash --json ." "batch --coroutines 10" "batch --coroutines 10 --json"; do
    status=0
    "$HARRIER" $arguments >/dev/full 2>"$work/err" || status=$?
    [ $status -eq 1 ] || fail "exit status $status, not 1, for $arguments on a full disk"
    expect_error "harrier: write error: No space left on device"
  done
fi

status=0
"$HARRIER" hash . >&- 2>"$work/err" || status=$?
[ $status -eq 1 ] || fail "exit status $status, not 1, without a standard output"
expect_error "harrier: write error: Bad file descriptor"
