#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build with sanitizers and run the tests that matter there: scripts/sanitize.sh asan|tsan
#   asan   address and undefined behaviour: unit, ops, faults, property, golden, stored fuzzing inputs
#   tsan   data races: threads, random arrays, golden, progress and cancelling
set -euo pipefail
cd "$(dirname "$0")/.."
kind=${1:?asan or tsan}
build=build/$kind
case $kind in
    asan) sanitizers=address,undefined suites=(unit ops faults property golden fuzz) tests=() cases=${FMC_CASES:-120} ;;
    tsan) sanitizers=thread suites=() tests=(test_threads test_random golden_best test_progress test_compress)
        cases=${FMC_CASES:-60} ;;
    *) echo "asan or tsan" >&2; exit 2 ;;
esac
if [ ! -f $build/build.ninja ]; then
    mkdir -p build
    meson setup $build -Dbuildtype=debugoptimized -Db_sanitize=$sanitizers -Db_lundef=false -Dnetcdf=disabled \
        -Dc_args=-fno-sanitize-recover=all >build/$kind.setup.log 2>&1 || { tail -20 build/$kind.setup.log; exit 1; }
fi
args=()
for suite in "${suites[@]}"; do args+=(--suite "$suite"); done
ninja -C $build >build/$kind.build.log 2>&1 || { tail -30 build/$kind.build.log; exit 1; }
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1
FMC_CASES=$cases FMC_QUICK=1 meson test -C $build --no-rebuild --print-errorlogs --timeout-multiplier 3 "${args[@]}" "${tests[@]}"
