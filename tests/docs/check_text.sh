#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# check_text.sh FILE [UNMARKED...]: run in the repository root. Every command of the repository that
# FILE shows in a shell block exists, and so does every subcommand of the program ($HARRIER, or
# bench/run). Each UNMARKED, a block of C++ that nobody compiles, is an error.
set -u
file=$1
shift
status=0
complain() {
  echo "$1"
  status=1
}

for block; do
  complain "$block: a C++ block without main needs <!-- fragment --> in the line before"
done

commands=$(awk '
  /^```(sh|bash|shell|console)$/ { shell = 1; next }
  /^```/ { shell = 0 }
  shell { sub(/^\$ /, ""); sub(/^\.\//, ""); print }' "$file" |
  grep -oE '(^|[|;&] *)((bench|tests|\.ci)/[a-z_./]+|harrier)( [^|;&>#]*)?' | sed 's/^[|;& ]*//' | sort -u)
while read -r command arguments; do
  [ -n "$command" ] || continue
  if [ "$command" != harrier ] && [ ! -x "$command" ]; then
    complain "$file: $command is no executable file here"
  fi
  case $command in harrier | bench/run) ;; *) continue ;; esac
  subcommand=${arguments%% *}
  case $subcommand in '' | -*) continue ;; esac
  if [ -n "${HARRIER:-}" ] && ! "$HARRIER" "$subcommand" --help >/dev/null 2>&1; then
    complain "$file: harrier has no subcommand $subcommand"
  fi
done <<END
$commands
END
exit $status
