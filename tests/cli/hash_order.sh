#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier hash` prints what `sha256sum` prints for the files of a tree in the order of LC_ALL=C sort,
# byte for byte, whatever the names.
. "$(dirname "$0")/common"
mkdir "$work/in"
cd "$work/in"

make_file() {
  mkdir -p -- "$(dirname -- "$1")"
  printf 'content of %s' "$1" >"$1"
}

# listed ROOT: the lines of sha256sum for the files below, in order.
listed() {
  find "$1" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum --
}

# expect_lines WHAT: standard output is $work/expected.
expect_lines() {
  expect_quiet "$1"
  cmp -s "$work/expected" "$work/out" ||
    fail "$1 differs from sha256sum: $(diff "$work/expected" "$work/out" || true)"
}

# '.' and '-' sort before '/', '0' after it: a directory's files belong between them.
for path in a/x a/x.y a/z a.b a-b a0 ab aa/1 a.d/1 a.d/2 B b .hidden .hidden.d/file ä \
  ' blank' 'two words' '*' '$HOME' "it's" '"quoted"' -odd --help 'back\slash' 'dir\with/file' \
  a/deep/deeper/deepest; do
  make_file "tree/$path"
done
make_file "$(printf 'tree/new\nline')"
make_file "$(printf 'tree/carriage\rreturn')"
make_file "$(printf 'tree/tab\tand \001 control')"
make_file "$(printf 'tree/not \377\376 utf-8')"
make_file "$(printf 'tree/a directory\nin two lines/file')"
make_file outside/secret
: >tree/empty
head -c 3000000 /dev/zero >tree/large
mkdir tree/empty.d
ln -s ../outside tree/link-to-directory
ln -s ../outside/secret tree/link-to-file
ln -s nowhere tree/link-to-nothing
mkfifo tree/fifo

for workers in 1 2 7; do
  run 0 "$HARRIER" hash tree --workers $workers
  listed tree >"$work/expected"
  expect_lines "a tree with $workers workers"
  sha256sum -c --quiet "$work/out" || fail "sha256sum -c refuses it"
done

for root in tree/ tree// ./tree tree/a/.. "$work/in/tree" . ./; do
  run 0 "$HARRIER" hash "$root"
  listed "$root" >"$work/expected"
  expect_lines "the root $root"
done

# Arguments in the given order, files as themselves, links that are arguments followed.
run 0 "$HARRIER" hash tree/b tree/a tree/link-to-file outside tree/a.b tree/b tree/link-to-directory
sha256sum tree/b tree/a/deep/deeper/deepest tree/a/x tree/a/x.y tree/a/z tree/link-to-file \
  outside/secret tree/a.b tree/b tree/link-to-directory/secret >"$work/expected"
expect_lines "a list of arguments"

cd tree
run 0 "$HARRIER" hash -- -odd --help
sha256sum -- -odd --help >"$work/expected"
expect_lines "a name like an option"

run 0 "$HARRIER" hash empty.d /dev/null
sha256sum /dev/null >"$work/expected"
expect_lines "an empty directory and a device"
