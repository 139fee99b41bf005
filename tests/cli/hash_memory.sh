#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Memory is bounded by the largest directory, not by the tree: ten times the files cost no more.
. "$(dirname "$0")/common"
cd "$work"
files_in() {
  mkdir -p "$1"
  (
    cd "$1"
    i=0
    while [ $i -lt 300 ]; do
      : >"a_file_with_a_rather_long_name_so_that_names_weigh_something_$i"
      i=$((i + 1))
    done
  )
}
for d in 0 1 2 3 4 5 6 7 8 9; do
  files_in small/$d
done
mkdir large
for d in 0 1 2 3 4 5 6 7 8 9; do
  cp -r small large/$d
done

# peak TREE: the peak of resident memory in kB while hashing it.
peak() {
  run 0 "$HARRIER" hash --json --workers 2 "$1"
  json /peak_rss_bytes
}
small=$(peak small)
large=$(peak large)
[ "$(json /file_count)" -eq 30000 ] || fail "not 30000 files"
[ "$large" -lt $((small + 8000000)) ] || fail "3000 files took $small bytes, 30000 took $large"
