#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier hash --json`: one object, the same files in the same order, paths of any bytes.
. "$(dirname "$0")/common"
mkdir -p "$work/in/tree"
cd "$work/in"
printf 'abc' >tree/a
printf '' >tree/b
printf 'x' >"$(printf 'tree/quote"\\ and\nnew line')"
printf 'y' >"$(printf 'tree/\377')"

run 1 "$HARRIER" hash --json --workers 2 tree missing
expect_error "harrier: missing: No such file or directory"
expect_json files:array errors:array file_count=4 error_count=1 bytes=5 seconds:number workers=2 \
  peak_rss_bytes:integer
[ "$(json /files/0/path)" = tree/a ] || fail "the first file is not tree/a"
[ "$(json /files/0/sha256)" = ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad ] ||
  fail "the digest of abc"
[ "$(json /files/0/bytes)" = 3 ] || fail "the size of tree/a"
[ "$(json /files/1/path)" = tree/b ] || fail "the second file is not tree/b"
[ "$(json /files/2/path)" = "$(printf 'tree/quote"\\ and\nnew line')" ] || fail "the quoted path"
[ "$(json /files/3/path_hex)" = 747265652fff ] || fail "the bytes of a path that is not UTF-8"
[ "$(json /files/#)" = 4 ] || fail "not four files"
[ "$(json /errors/0/path)" = missing ] || fail "the path of the error"
[ "$(json /errors/0/message)" = "No such file or directory" ] || fail "the message of the error"

mkdir nothing
run 0 "$HARRIER" hash nothing --json
expect_quiet
expect_json files=[] errors=[] file_count=0 error_count=0 bytes=0 seconds:number workers:integer \
  peak_rss_bytes:integer
run 1 "$HARRIER" hash missing --json
expect_json files=[] errors:array file_count=0 error_count=1 bytes=0 seconds:number workers:integer \
  peak_rss_bytes:integer
