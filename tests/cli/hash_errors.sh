#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What cannot be read gets one message each; the rest is still done and the exit status is 1.
. "$(dirname "$0")/common"
mkdir -p "$work/in/tree/sub"
cd "$work/in"
echo one >tree/one
echo two >tree/sub/two
ln -s nowhere dangling
ln -s loop loop

# expect_rest: both readable files are in the output and nothing else, $1 messages in the errors.
expect_rest() {
  sha256sum tree/one tree/sub/two >"$work/expected"
  cmp -s "$work/expected" "$work/out" || fail "the readable files are not all there"
  [ "$(wc -l <"$work/err")" -eq "$1" ] || fail "not $1 messages"
}

run 1 "$HARRIER" hash missing tree dangling loop tree/one/below
expect_rest 4
expect_error "harrier: missing: No such file or directory"
expect_error "harrier: dangling: No such file or directory"
expect_error "harrier: loop: Too many levels of symbolic links"
expect_error "harrier: tree/one/below: Not a directory"

run 1 "$HARRIER" hash "$(printf 'two\nlines')" tree
expect_rest 1
expect_error 'harrier: two\nlines: No such file or directory'

# What such files mean is for --on-error to say.
for how in collect 0 3 70%; do
  run 1 "$HARRIER" hash --on-error $how missing dangling loop tree/one/below tree/sub
  expect_error "harrier: missing: No such file or directory"
done
for how in 4 80%; do
  run 0 "$HARRIER" hash --on-error $how missing tree dangling loop tree/one/below
  expect_rest 4
done
run 1 "$HARRIER" hash --window 1 --on-error fail missing tree
grep -q two "$work/out" && fail "went on after the failure"

# A file that opens but cannot be read, for root too.
if [ -r /proc/self/mem ]; then
  run 1 "$HARRIER" hash tree/one /proc/self/mem tree/sub
  expect_rest 1
  expect_error "harrier: /proc/self/mem: Input/output error"
fi

# Permissions; root may read everything.
echo hidden >tree/secret
mkdir tree/vault
echo hidden >tree/vault/file
chmod 0 tree/secret tree/vault
if [ ! -r tree/secret ]; then
  run 1 "$HARRIER" hash tree
  expect_rest 2
  expect_error "harrier: tree/secret: Permission denied"
  expect_error "harrier: tree/vault: Permission denied"
fi
chmod 700 tree/vault
rm -r tree/secret tree/vault

# A path too long for the system: its directory is reported, the rest done.
deep=$(printf '%0250d' 0)
path=tree
for level in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
  path=$path/$deep
done
mkdir -p "$path"
run 1 "$HARRIER" hash tree
expect_rest 1
expect_error "File name too long"
