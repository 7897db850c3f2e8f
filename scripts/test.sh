#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every test, on a fresh Debian 12: installs what is missing, builds with warnings as errors, runs the groups below.
#   scripts/test.sh [--quick] [--only GROUP]...
#   --quick   fewer random cases, no foreign architectures, 10 seconds of fuzzing
# Groups: build unit golden property python layers docs abi asan tsan fuzz arm64 s390x reference
# Logs lie in build/test-GROUP.log. The last line is "N passed, N failed, N skipped"; exit status 1 if one failed.
source "$(dirname "$0")/setup.sh"
cd "$(dirname "$0")/.."

quick=0
only=()
while [ $# -gt 0 ]; do
    case $1 in
        --quick) quick=1 ;;
        --only) only+=("${2:?a group}"); shift ;;
        *) sed -n '4,8s/^# //p' "$0"; exit 2 ;;
    esac
    shift
done

passed=0 failed=0 skipped=0
declare -a lines=()
wanted() { [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $1 "* ]]; }

note() { # note WORD GROUP TEXT
    lines+=("$(printf '%-5s %-10s %s' "$@")")
    say "$1 $2 $3"
    case $1 in ok) passed=$((passed + 1)) ;; FAIL) failed=$((failed + 1)) ;; skip) skipped=$((skipped + 1)) ;; esac
}

group() { # group NAME COMMAND...: status 77 means skipped, its last line says why
    local name=$1 start=$SECONDS status=0
    shift
    wanted "$name" || return 0
    "$@" >build/test-"$name".log 2>&1 || status=$?
    if [ $status -eq 0 ]; then
        note ok "$name" "$((SECONDS - start)) s"
        note_skipped_tests "$name"
    elif [ $status -eq 77 ]; then
        note skip "$name" "$(tail -1 build/test-"$name".log)"
    else
        tail -60 build/test-"$name".log
        note FAIL "$name" "status $status, build/test-$name.log"
    fi
}

note_skipped_tests() { # single tests that Meson skipped inside a group that passed
    local name=$1 test
    for test in $(sed -n 's|^ *[0-9]*/[0-9]* .* / \([^ ]*\) *SKIP.*|\1|p' build/test-"$name".log | sort -u); do
        note skip "$name/$test" "not possible on this machine"
    done
}

mkdir -p build
missing=""
packages() { setup_packages "$@" >>build/test-setup.log 2>&1 || missing="$missing $*"; }
packages gcc g++ meson ninja-build pkg-config libzstd-dev libxxhash-dev libcmocka-dev python3 python3-venv
packages libnetcdf-dev
setup_backends >>build/test-setup.log 2>&1
wanted asan || wanted fuzz && packages clang libclang-rt-14-dev
wanted abi && packages abigail-tools binutils
if [ $quick = 0 ]; then
    wanted arm64 && packages gcc-aarch64-linux-gnu qemu-user
    wanted s390x && packages gcc-s390x-linux-gnu qemu-user
fi
[ -z "$missing" ] || say "could not install:$missing; what needs them is skipped"

build_all() {
    [ -f build/build.ninja ] || meson setup build --werror
    meson configure build -Dwerror=true
    ninja -C build
}
meson_suites() { # the suites named, each test's output on failure
    local args=()
    for suite in "$@"; do args+=(--suite "$suite"); done
    meson test -C build --no-rebuild --print-errorlogs "${args[@]}"
}
unit() { meson_suites unit ops cli examples faults fuzz backends; }
python_binding() {
    FMC_LIBRARY=$PWD/build/lib/libfmc.so build/venv/bin/python -m unittest discover -s bindings/python/tests
}
abi() { # types need debug information, which the release build has not
    [ -f build/abi/build.ninja ] || meson setup build/abi -Dbuildtype=debugoptimized -Dnetcdf=disabled
    ninja -C build/abi lib/libfmc.so.0.1.0
    python3 scripts/check_abi.py build/abi/lib/libfmc.so.0.1.0 || return 1
    meson_suites abi
}
fuzz() {
    command -v clang >/dev/null || { echo "clang is not installed"; return 77; }
    scripts/fuzz.sh $([ $quick = 1 ] && echo 10 || echo 60)
}
reference() {
    [ -f tests/reference_decoder.py ] || { echo "there is no tests/reference_decoder.py"; return 77; }
    build/venv/bin/python tests/reference_decoder.py --check tests/golden
}
with_python() { # a command that needs the virtual environment
    [ -x build/venv/bin/python ] || { echo "the Python packages cannot be installed here"; return 77; }
    "$@"
}
foreign() {
    [ $quick = 0 ] || { echo "--quick"; return 77; }
    scripts/cross.sh "$1"
}

wanted python || wanted docs || wanted reference && { setup_python numpy cffi zstandard xxhash >>build/test-setup.log 2>&1 || rm -rf build/venv; }
[ $quick = 1 ] && export FMC_CASES=${FMC_CASES:-60} FMC_QUICK=1

if ! build_all >build/test-build.log 2>&1; then
    tail -40 build/test-build.log
    note FAIL build "build/test-build.log"
else
    note ok build ""
    group layers python3 scripts/check_layers.py
    group unit unit
    group golden meson_suites golden
    group property meson_suites property
    group abi abi
    group python with_python python_binding
    group reference with_python reference
    group docs with_python build/venv/bin/python scripts/check_docs.py
    group arm64 foreign arm64
    group s390x foreign s390x
    group asan scripts/sanitize.sh asan
    group tsan scripts/sanitize.sh tsan
    group fuzz fuzz
fi
echo
printf '%s\n' "${lines[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
