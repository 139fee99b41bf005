#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `harrier compare`: the five ways in order, with their loops counted; asyncio beside them when asked.
. "$(dirname "$0")/common"
ways="loop_per_coroutine loop_per_coroutine_with_poller wrapper_coroutine runner batch"

# expect_way INDEX NAME: an entry with this name and sensible figures.
expect_way() {
  [ "$(json /contenders/$1/name)" = $2 ] || fail "contender $1 is not $2"
  [ "$(json /contenders/$1/#)" = 4 ] || fail "contender $2 has other fields"
  loops=$(json /contenders/$1/loops_created)
  count=$(json /contenders/$1/coroutines)
  [ "$count" -ge 1 ] && [ "$count" -le 2000 ] || fail "$2 ran $count coroutines"
  case $(json /contenders/$1/ns_per_coroutine) in
    *[!0-9.e+-]* | 0 | 0.0 | -*) fail "$2 has no time" ;;
  esac
  case $2 in
    *loop_per_coroutine*) [ "$loops" -eq "$count" ] || fail "$2: $loops loops, $count coroutines" ;;
    batch) [ "$loops" -ge 1 ] && [ "$loops" -le 2 ] || fail "$2: $loops loops" ;;
    *) [ "$loops" -eq 1 ] || fail "$2: $loops loops" ;;
  esac
}

expect_ways() {
  i=$1
  for way in $ways; do
    expect_way $i $2$way
    i=$((i + 1))
  done
}

run 0 "$HARRIER" compare --coroutines 2000 --workers 2 --json
expect_quiet
expect_json contenders:array
[ "$(json /contenders/#)" = 5 ] || fail "not five contenders"
expect_ways 0 ""

run 0 "$HARRIER" compare --coroutines 2000 --workers 2
expect_quiet
for way in $ways; do
  grep -q "^  $way  .*[0-9] [nu]s .*[#█▏▎▍▌▋▊▉]" "$work/out" || fail "no row with a bar for $way"
done

# No python3 at all, and one that is too old: said clearly, and the rest is still there.
mkdir "$work/empty" "$work/old"
run 1 env PATH="$work/empty" "$HARRIER" compare --coroutines 100 --asyncio --json
expect_error "no asyncio figures: cannot start python3: No such file or directory"
[ "$(json /contenders/#)" = 5 ] || fail "not five contenders without python3"
cat >"$work/old/python3" <<'OLD'
#!/bin/sh
echo '{"version": "3.9.2", "contenders": []}'
OLD
chmod +x "$work/old/python3"
run 1 env PATH="$work/old:$PATH" "$HARRIER" compare --coroutines 100 --asyncio --json
expect_error "no asyncio figures: python3 is 3.9.2; asyncio.Runner needs 3.11 or later"

if python3 -c 'import asyncio; asyncio.Runner' 2>/dev/null; then
  run 0 "$HARRIER" compare --coroutines 2000 --workers 2 --asyncio --json
  expect_quiet
  [ "$(json /contenders/#)" = 10 ] || fail "not ten contenders"
  expect_ways 0 ""
  expect_ways 5 asyncio_
fi
