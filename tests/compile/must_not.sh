#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# must_not.sh FILE COMPILER FLAGS...: FILE must not compile, and the diagnostic must match the
# regular expression of its line "// EXPECT: ...". With -DCORRECT the same file must compile: so
# the case fails for the reason it names and not for a header that has moved.
set -u
file=$1
shift
expect=$(sed -n 's|^// EXPECT: ||p' "$file")
[ -n "$expect" ] || { echo "$file has no line '// EXPECT: <regex>'"; exit 1; }

if ! "$@" -DCORRECT -fsyntax-only "$file"; then
  echo "$file: does not compile with -DCORRECT either"
  exit 1
fi
if diagnostic=$("$@" -fsyntax-only "$file" 2>&1); then
  echo "$file: compiles, and must not"
  exit 1
fi
if ! printf '%s\n' "$diagnostic" | grep -qE -- "$expect"; then
  printf '%s\n%s: no line of the diagnostic above matches: %s\n' "$diagnostic" "$file" "$expect"
  exit 1
fi
