#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# spin.sh SPIN MODEL.pml: explores every state of the model as it stands, which has to pass, and then of
# each mutant that its head names, which has to fail.
set -eu
model=$(readlink -f "$2")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# passes NAME [-DMUTANT]: whether no state of it is wrong.
passes() {
  "$spin" -a ${2:+"$2"} "$model" >spin.log 2>&1 || { cat spin.log; exit 2; }
  cc -w -O1 -DSAFETY -o pan pan.c
  ./pan -m100000 >pan.log 2>&1 || true
  grep -q 'errors:' pan.log || { cat pan.log; exit 2; }
  states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' pan.log)
  if grep -q 'errors: 0' pan.log && ! grep -q 'search depth too small' pan.log; then
    echo "$1: $states states, passed"
  else
    echo "$1: $states states, failed"
    return 1
  fi
}

spin=$1
status=0
passes "as it stands" || status=1
for mutant in $(sed -n 's/^ \* mutants: //p' "$model"); do
  if passes "$mutant" "-D$mutant"; then
    echo "  <-- the mutant survives"
    status=1
  fi
done
exit $status
