#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier hash --checkpoint`: what a second run takes from the first, what it does again, and when it
# refuses. tests/cli/hash_kill.sh has the runs that are killed.
. "$(dirname "$0")/common"
mkdir -p "$work/in/tree/sub"
cd "$work/in"
for name in a b c sub/d sub/e "$(printf 'new\nline')" 'back\slash' 'two words'; do
  echo "content of $name" >"tree/$name"
done
find tree -type f -exec touch -d '2020-01-01 00:00:00.123456789' {} +

listed() {
  find tree -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --
}

# expect_manifest WHAT: the manifest is what a run without a checkpoint gives.
expect_manifest() {
  listed >"$work/expected"
  cmp -s "$work/expected" manifest || fail "$1: $(diff "$work/expected" manifest || true)"
  [ ! -e manifest.tmp ] && [ ! -e kept.tmp ] && [ ! -e kept.lock ] || fail "$1: left files behind"
}

# hash ARGUMENT...: with the checkpoint; how many files came from it is in $reused then.
hash() {
  run 0 "$HARRIER" hash --workers 2 --checkpoint kept --output manifest "$@" --json tree
  expect_quiet "$@"
  expect_no_output
  reused=$("$JSON_CHECK" --get /reused_count <manifest)
  run 0 "$HARRIER" hash --workers 2 --checkpoint kept --output manifest "$@" tree
}

hash
[ "$reused" -eq 0 ] || fail "$reused files from an empty checkpoint"
expect_manifest "the first run"
hash --window 1
[ "$reused" -eq 8 ] || fail "$reused files of 8 from the checkpoint"
expect_manifest "the second run"

# Same size, another time; gone; new; moved aside and replaced by a directory.
echo "CONTENT of a" >tree/a
rm tree/b
echo new >tree/sub/aa
rm tree/c
mkdir tree/c
echo below >tree/c/c
touch -d '2021-01-01' tree/a tree/sub/aa tree/c/c
hash
[ "$reused" -eq 5 ] || fail "$reused files of 5 from the checkpoint"
expect_manifest "after changes"

# A file that can no longer be read is an error, as it would be without a checkpoint; root reads all.
chmod 0 tree/a
if [ ! -r tree/a ]; then
  run 1 "$HARRIER" hash --checkpoint kept --output manifest tree
  expect_error "harrier: tree/a: Permission denied"
fi
chmod 600 tree/a

# refused TEXT ARGUMENT...: the checkpoint is refused and stays as it is, as does the manifest.
refused() {
  text=$1
  shift
  cksum kept kept.log manifest >"$work/before"
  run 1 "$HARRIER" hash --checkpoint kept --output manifest "$@"
  expect_error "$text"
  cksum kept kept.log manifest | cmp -s - "$work/before" || fail "changed something: $*"
}

refused "of another batch" tree/sub
refused "with other PATHs or in another directory" ./tree
cp kept kept.good
# In the name, which has no X: most of what is before depends on where the test runs.
printf 'X' | dd of=kept bs=1 seek=64 conv=notrunc 2>/dev/null
refused "is damaged: its checksum does not fit" tree
head -c 50 kept.good >kept
refused "is truncated" tree
: >kept
refused "is truncated" tree
echo "#!/bin/sh" >kept
refused "is not a checkpoint" tree
cp kept.good kept
printf '\002' | dd of=kept bs=1 seek=8 conv=notrunc 2>/dev/null
refused "is of version 2" tree
cp kept.good kept
cp kept.log log.good
printf 'X' | dd of=kept.log bs=1 seek=3 conv=notrunc 2>/dev/null
refused "does not fit its output" tree
head -c 100 log.good >kept.log
refused "does not fit its output" tree
cp log.good kept.log
hash
expect_manifest "after the refusals"

# One file a second at most, so that it is under way for seconds.
rm kept kept.log manifest
"$HARRIER" hash --checkpoint kept --output manifest --rate 1 tree 2>"$work/slow" &
pid=$!
wait_for test -s kept.lock

# SIGINT: ends what has begun, and saves; nothing of the manifest.
interrupt $pid "SIGINT"
[ ! -e manifest ] || fail "a manifest after SIGINT"
grep -q "goes on from the checkpoint" "$work/slow" || fail "no word on how to go on"
hash
expect_manifest "after SIGINT"

# Twice: at once, with a read under way that never ends.
mkfifo never
sleep 60 >never &
writer=$!
"$HARRIER" hash --checkpoint never.kept --output never.manifest never 2>"$work/slow" &
pid=$!
wait_for grep -q "^$pid\$" never.kept.lock
run 1 "$HARRIER" hash --checkpoint never.kept --output other never
expect_error "in use by process $pid"
[ ! -e other ] || fail "a refused run wrote its output"
kill -INT $pid
wait_for grep -q "once more" "$work/slow"
interrupt $pid "SIGINT twice"
kill $writer 2>/dev/null || true

# Without a checkpoint: what is printed is whole lines, and right.
"$HARRIER" hash --rate 1 tree >printed 2>"$work/slow" &
pid=$!
wait_for catches_interrupt $pid
interrupt $pid "SIGINT without a checkpoint"
grep -q "^harrier: interrupted\$" "$work/slow" || fail "no word on the interrupt"
[ ! -s printed ] || sha256sum -c --quiet printed || fail "a wrong line before SIGINT"

# The deadline: no file is begun after it.
rm kept kept.log manifest
run 124 "$HARRIER" hash --checkpoint kept --output manifest --rate 1 --deadline 50ms tree
expect_error "the deadline came before the end"
[ ! -e manifest ] || fail "a manifest after the deadline"
hash
expect_manifest "after the deadline"

# A disk that is full for the log, but not for the manifest: reported, and the rest is done. The limit
# is 1024 bytes; a record of the log is longer than a line of the manifest by size and time.
mkdir full
for name in 01 02 03 04 05 06 07 08 09 10 11 12; do
  echo $name >full/$name
done
find full -type f -exec touch -d '2020-01-01 00:00:00.123456789' {} +
status=0
(
  trap '' XFSZ
  ulimit -f 2
  exec "$HARRIER" hash --checkpoint full.kept --output full.manifest full
) 2>"$work/err" || status=$?
[ $status -eq 0 ] || fail "exit status $status with a full disk"
expect_error "was not saved, and the batch goes on"
sha256sum full/* | cmp -s - full.manifest || fail "the manifest with a full disk"
