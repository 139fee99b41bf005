#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh static|shared TREE WORK COMPILER: installs harrier from the build tree, moves the prefix, and
# builds and runs the consumers against it: find_package, pkg-config with and without --static; and
# add_subdirectory, for one kind.
set -euo pipefail
kind=$1
tree=$2
work=$3
export CXX=$4
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
step() { echo "--- install.$kind: $*"; }
quietly() { output=$("$@" 2>&1) || { printf '%s\n' "$output"; exit 1; }; }

rm -rf "$work"
mkdir -p "$work"
unset HARRIER_DIR harrier_DIR CMAKE_PREFIX_PATH PKG_CONFIG_PATH LD_LIBRARY_PATH

step "install and move the prefix"
quietly cmake --install "$tree" --prefix "$work/first"
prefix="$work/moved prefix"
mv "$work/first" "$prefix"
if grep -rlF "$work/first" "$prefix"; then
  echo "the files above name the prefix they were first installed in"
  exit 1
fi

step "find_package"
quietly cmake -G Ninja -S "$here/find_package" -B "$work/find_package" \
  -DCMAKE_PREFIX_PATH="$prefix"
quietly cmake --build "$work/find_package"
"$work/find_package/consumer"
"$work/find_package/runner_only"
if [[ -x $work/find_package/simulated ]]; then
  timeout 60 "$work/find_package/simulated"
fi
# One thread asks for no scheduler of many: the runner brings libtbbmalloc only.
if ldd "$work/find_package/runner_only" | grep -F 'libtbb.so'; then
  echo "harrier::runner links libtbb"
  exit 1
fi

libdir=$(dirname "$(find "$prefix" -name harrier.pc)")
export PKG_CONFIG_PATH="$libdir"
if [[ $kind == shared ]]; then
  export LD_LIBRARY_PATH="${libdir%/pkgconfig}"
fi
for flag in '' --static; do
  step "pkg-config $flag"
  eval "flags=($(pkg-config $flag --cflags --libs harrier))"
  "$CXX" "$here/main.cpp" "${flags[@]}" -o "$work/pkg_config"
  "$work/pkg_config"
  eval "flags=($(pkg-config $flag --cflags --libs harrier-runner))"
  "$CXX" "$here/runner_only.cpp" "${flags[@]}" -o "$work/pkg_config_runner"
  "$work/pkg_config_runner"
done
linked=$(ldd "$work/pkg_config")  # not in a pipe: grep -q would end it early, which pipefail takes for a failure
if [[ $kind == shared && $linked != *libharrier_runtime.so.0.1* ]]; then
  echo "the consumer is not linked with libharrier_runtime.so.0.1"
  exit 1
fi

if [[ $kind == static ]]; then
  step "add_subdirectory"
  quietly cmake -G Ninja -S "$here/subdirectory" -B "$work/subdirectory" -DCMAKE_BUILD_TYPE=Debug \
    -DHARRIER_SOURCE_DIR="$root" -DHARRIER_UNITY=ON
  quietly cmake --build "$work/subdirectory"
  "$work/subdirectory/consumer"
fi
rm -rf "$work"
