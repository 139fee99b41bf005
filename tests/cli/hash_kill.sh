#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier hash --checkpoint`, killed at a hundred random moments, or HARRIER_KILLS: the manifest in the end
# is that of sha256sum, the checkpoint is never refused, and nothing that was in it is hashed again. After
# each run that comes to its end most files are modified, so that the next one begins with the compaction
# of the log, and is killed there, if need be more than once. On a busy machine it ends after 20 s with fewer kills, unless HARRIER_KILLS is set; with less than half of
# them, or too few that hit a run with its checkpoint open, the test fails.
. "$(dirname "$0")/common"
cd "$work"
: "${HARRIER_SEED:=$(date +%N | sed 's/^0*//')}"
echo "HARRIER_SEED=$HARRIER_SEED"

# The names are so long that a log of all files is not too small to be compacted.
files=300
long=$(printf '%0200d' 0)
for d in a b c; do
  mkdir -p tree/$d
  i=0
  while [ $i -lt 100 ]; do
    echo "$d $i" >tree/$d/$long$i
    i=$((i + 1))
  done
done
find tree -type f -exec touch -d '2020-01-01 00:00:00.123456789' {} +
find tree -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum -- >expected

# What the log counts as done at most once: one record for each file, whatever happened meanwhile.
check_end() {
  cmp -s expected manifest || fail "the manifest differs from sha256sum's"
  tr '\0' '\n' <kept.log | cut -d' ' -f5- | sort >recorded
  [ "$(wc -l <recorded)" -eq $files ] || fail "$(wc -l <recorded) records of $files files"
  [ -z "$(uniq -d recorded)" ] || fail "hashed again: $(uniq -d recorded)"
}

# Pairs of how long a run lives and how many files it may hash a second; some run at full speed. Twice as
# many as kills, since some runs end before theirs.
wanted=${HARRIER_KILLS:-100}
awk -v seed="$HARRIER_SEED" -v runs=$((2 * wanted)) 'BEGIN {
  srand(seed)
  for (i = 0; i < runs; i++) printf "%.3f %d\n", 0.003 + rand() * 0.08, 400 + rand() * 4000
}' >moments

# Until the run has opened the checkpoint: on a busy machine its start alone takes longer than it has to
# live. Not for ever, as it may have ended before anybody looked.
wait_for_start() {
  owner=
  tries=0
  until [ "$owner" = $pid ] || [ $tries -eq 100 ]; do
    tries=$((tries + 1))
    sleep 0.005
    { read -r owner <kept.lock; } 2>/dev/null || true
  done
}

start=$(date +%s)
kills=0 ends=0 open=0 compacting=0
at_once=no
while read -r moment rate; do
  [ $kills -lt "$wanted" ] || break
  [ -n "${HARRIER_KILLS:-}" ] || [ $(($(date +%s) - start)) -lt 20 ] || break
  "$HARRIER" hash --workers 2 --checkpoint kept --checkpoint-every 2ms --output manifest \
    --rate "$rate" tree >out 2>err </dev/null &
  pid=$!
  [ $((kills % 4)) -eq 0 ] || wait_for_start
  [ $at_once = no ] || moment=0
  at_once=no
  sleep "$moment"
  kill -KILL $pid 2>/dev/null || true
  status=0
  wait $pid 2>/dev/null || status=$?
  case $status in
    137)
      kills=$((kills + 1))
      # Only whoever is killed leaves its lock file behind.
      owner=
      { read -r owner <kept.lock; } 2>/dev/null || true
      [ "$owner" != $pid ] || open=$((open + 1))
      if [ -e kept.log.replacement ]; then
        compacting=$((compacting + 1))
        at_once=yes
      fi
      ;;
    0)
      ends=$((ends + 1))
      check_end
      find tree/a tree/b -type f -exec touch -d "2020-01-01 00:00:00.$(printf '%09d' $ends)" {} +
      rm manifest
      at_once=yes
      ;;
    *) fail "exit status $status after $kills kills" ;;
  esac
done <moments

run 0 "$HARRIER" hash --checkpoint kept --output manifest --json tree
reused=$("$JSON_CHECK" --get /reused_count <manifest)
run 0 "$HARRIER" hash --checkpoint kept --output manifest tree
expect_quiet
check_end
least=$((wanted / 2))
[ -z "${HARRIER_KILLS:-}" ] || least=$wanted
[ $kills -ge $least ] || fail "only $kills kills of $wanted in $(($(date +%s) - start)) s"
[ $((open * 3)) -ge $((kills * 2)) ] || fail "only $open of $kills kills hit a run that had begun"
echo "$kills kills, $open of them with the checkpoint open, $compacting of these while it compacted the log, $ends ends before them; the last run took $reused of $files files from the checkpoint"
