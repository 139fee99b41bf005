#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier hash --checkpoint`, run again and again over a tree that changes: the log does not grow for
# ever, and nothing that is still true is hashed again for it. hash_kill.sh has the runs that are killed.
. "$(dirname "$0")/common"
cd "$work"

# So many and so long that the log of one run is beyond the size at which it is left alone.
files=400
long=$(printf '%0150d' 0)
mkdir tree
round=0

# write NAMES...: a new content for each, and a time of its own.
write() {
  round=$((round + 1))
  for file; do
    echo "$file $round" >"tree/$file"
  done
  (cd tree && touch -d "2020-01-01 00:00:00.$(printf '%09d' $round)" "$@")
}

# names FIRST LAST: of so many files.
names() {
  i=$1
  while [ "$i" -le "$2" ]; do
    echo "$i-$long"
    i=$((i + 1))
  done
}

# hash REUSED RECORDS: so many files come from the log, which has so many records then; the manifest is
# that of sha256sum.
hash() {
  run 0 "$HARRIER" hash --workers 2 --checkpoint kept --output manifest --json tree
  expect_quiet "$@"
  reused=$("$JSON_CHECK" --get /reused_count <manifest)
  [ "$reused" -eq "$1" ] || fail "$reused files from the log, not $1"
  records=$(tr -cd '\0' <kept.log | wc -c)
  [ "$records" -eq "$2" ] || fail "$records records, not $2"
  run 0 "$HARRIER" hash --workers 2 --checkpoint kept --output manifest tree
  expect_quiet "$@"
  find tree -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -- | cmp -s - manifest ||
    fail "the manifest differs from sha256sum's"
  [ ! -e kept.log.replacement ] || fail "a replacement of the log was left behind"
}

write $(names 1 $files)
hash 0 400

# Less than half is dead: it stays in the log.
write $(names 1 60)
hash 340 460
write $(names 1 60)
hash 340 520

# More than half: older records, those of files that are gone, and those of files that changed.
rm tree/399-* tree/400-*
write $(names 1 300)
hash 98 398

# Nothing changes: it is the same file.
ls -i kept.log >before
hash 398 398
ls -i kept.log | cmp -s - before || fail "wrote the log anew with nothing new in it"

# Files that give way to others of new names, as in a rotation.
for to in a b; do
  (cd tree && for file in *-$long; do mv "$file" "$to$file"; done)
  hash 0 398
done
(cd tree && for file in *-$long; do mv "$file" "${file#ba}"; done)
hash 0 398

# A tree that is named three times has three records of each file, all of them true; one is enough.
for records in 1194 398; do
  run 0 "$HARRIER" hash --workers 2 --checkpoint thrice --output manifest tree tree tree
  expect_quiet "three times"
  [ "$(tr -cd '\0' <thrice.log | wc -c)" -eq $records ] || fail "not $records records, three times"
done

# What cannot be looked at is not taken for gone. Root looks at everything.
mkdir tree/closed
(cd tree && mv $(names 301 398) closed)
hash 300 496
chmod 0 tree/closed
write $(names 1 200)
run "$([ -r tree/closed ] && echo 0 || echo 1)" \
  "$HARRIER" hash --checkpoint kept --output manifest tree
chmod 700 tree/closed
hash 398 398
(cd tree && mv closed/* . && rmdir closed)
hash 300 496

# Killed between the two steps that put the new log in its place, or before them: the next run takes the
# log that the checkpoint is of.
write $(names 1 398)
cp kept kept.old
cp kept.log log.old
hash 0 398
cp kept kept.new
cp kept.log log.new
cp log.old kept.log
cp log.new kept.log.replacement
hash 398 398
cmp -s kept.log log.new || fail "not the new log"
cp kept.old kept
cp log.old kept.log
head -c 1000 log.new >kept.log.replacement
hash 0 398

# Neither fits: refused, and nothing is touched.
cp kept.new kept
cp log.old kept.log
head -c 1000 log.new >kept.log.replacement
cksum kept kept.log kept.log.replacement manifest >before
run 1 "$HARRIER" hash --checkpoint kept --output manifest tree
expect_error "does not fit its output"
cksum kept kept.log kept.log.replacement manifest | cmp -s - before ||
  fail "a refused run changed something"
cp log.new kept.log
hash 398 398

# A disk that is full for the new log: reported, and the run goes on with the old one. The limit is 8192
# bytes; a pipe has none.
rm $(names 1 250 | sed 's,^,tree/,')
cksum kept kept.log >before
(
  trap '' XFSZ
  ulimit -f 16
  "$HARRIER" hash --checkpoint kept --output /dev/stdout tree 2>err && : >good
) | cat >out
[ -e good ] || fail "an exit status with a full disk"
expect_error "was not compacted, and the run goes on with it"
sha256sum tree/* | cmp -s - out || fail "the manifest with a full disk"
cksum kept kept.log | cmp -s - before || fail "a full disk changed the log"
[ ! -e kept.log.replacement ] || fail "a full disk left half a log behind"
hash 148 148
