# SPDX-License-Identifier: Apache-2.0
# Sourced by bench/run, tests/run and .ci/run, which set $root: the Debian packages each of them
# needs, how a missing one gets there, and how a build tree is made and kept up to date.
build_packages=(g++ cmake ninja-build pkg-config libtbb-dev libcli11-dev nlohmann-json3-dev libssl-dev
  libbenchmark-dev)
test_packages=("${build_packages[@]}" libgtest-dev libgmock-dev relacy-dev spin python3)
ci_packages=("${test_packages[@]}" git clang-19 clang-format-19 clang-tidy-19 libclang-rt-19-dev)

# need_packages NAME...: installs those that are missing, with everything apt says on stderr. Asks
# apt nothing when all are there, so it costs milliseconds.
need_packages() {
  local missing=() package as_root=()
  for package; do
    if [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) != installed ]]; then
      missing+=("$package")
    fi
  done
  ((${#missing[@]})) || return 0

  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "$0: these packages are missing, and installing them needs root or sudo: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
    # Without a terminal sudo must not wait for a password that nobody can type.
    [[ -t 0 ]] || as_root+=(-n)
  fi
  echo "$0: installing ${missing[*]}" >&2
  local apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
  if ! { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } \
    >&2 </dev/null; then
    echo "$0: could not install ${missing[*]}" >&2
    return 1
  fi
}

# build_preset PRESET TARGET [CMAKE_ARGUMENT...]: configures build/PRESET once and builds TARGET;
# afterwards ninja alone decides what to do. One build at a time in one tree. All output on stderr.
build_preset() (
  cd "$root"
  tree=build/$1
  mkdir -p "$tree"
  exec 9>"$tree.lock" >&2
  flock 9
  if [[ ! -f $tree/build.ninja ]]; then
    echo "$0: building $tree, once"
    cmake --preset "$1" "${@:3}" --log-level=WARNING >/dev/null || exit 1
  fi
  ninja --quiet -C "$tree" -k 0 -j "$(nproc)" "$2" | { grep -v '^ninja: no work to do' || true; }
)

# run_ctest PRESET [CTEST_ARGUMENT...]: runs the tests of a tree, then says "N passed, N failed" on a
# line of its own. A test that did not run has failed.
run_ctest() (
  cd "$root"
  junit=$root/build/$1/junit.xml
  rm -f "$junit"
  status=0
  ctest --preset "$1" -j "$(nproc)" --output-junit "$junit" "${@:2}" || status=$?
  [[ -f $junit ]] || exit "$status"
  awk -F '"' '
    /^[ \t]*tests="/ { tests = $2 }
    /^[ \t]*failures="/ { failed = $2 }
    /^[ \t]*(disabled|skipped)="/ { skipped += $2 }
    /<testcase/ { exit }
    END { printf "%d passed, %d failed\n", tests - failed - skipped, failed + skipped }' "$junit"
  exit "$status"
)
