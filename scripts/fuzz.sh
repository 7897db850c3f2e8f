#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Run the libFuzzer targets over the stored corpus, checksums off.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     SECONDS in total (default 60) over all targets, or those named
# New inputs collect in build/fuzz/found/TARGET; what breaks a promise lies in build/fuzz/broken. FUZZ_JOBS: processes
# (default: one per core). Exit status 1 if something broke.
set -euo pipefail
cd "$(dirname "$0")/.."
mkdir -p build
seconds=${1:-60}
shift || true
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=(decompress inspect region roundtrip payload weights)
jobs=${FUZZ_JOBS:-$(nproc)}
build=build/fuzz

if [ ! -f $build/build.ninja ]; then
    CC=clang meson setup $build --werror -Dfuzz=true -Dnetcdf=disabled -Dbuildtype=debugoptimized -Db_sanitize=address,undefined \
        -Db_lundef=false -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all -DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION' \
        >build/fuzz_setup.log 2>&1 || { cat build/fuzz_setup.log; exit 1; }
fi
ninja -C $build "${targets[@]/#/tests/fuzz/fuzz_}" >build/fuzz_build.log 2>&1 || { tail -40 build/fuzz_build.log; exit 1; }
mkdir -p $build/broken

run_target() {
    local name=$1 each=$2 more=()
    case $name in decompress | inspect) more=(tests/golden/streams tests/golden/errors) ;; esac
    mkdir -p $build/found/$name
    if $build/tests/fuzz/fuzz_$name -max_total_time="$each" -timeout=60 -rss_limit_mb=2048 -max_len=16384 -print_final_stats=1 \
        -artifact_prefix=$build/broken/$name- $build/found/$name tests/fuzz/corpus/$name "${more[@]}" >$build/$name.log 2>&1; then
        printf '%-11s %s, %s\n' "$name" "$(grep -ao 'number_of_executed_units: *[0-9]*' $build/$name.log | tail -1 | tr -s ' ')" \
            "$(grep -ao 'cov: [0-9]*' $build/$name.log | tail -1)"
    else
        printf '%-11s BROKEN, see %s\n' "$name" "$build/$name.log"
        tail -30 $build/$name.log
        return 1
    fi
}

each=$((seconds * jobs / ${#targets[@]}))
[ $each -gt 0 ] || each=1
bad=0
running=()
for name in "${targets[@]}"; do
    if [ ${#running[@]} -ge "$jobs" ]; then
        wait "${running[0]}" || bad=1
        running=("${running[@]:1}")
    fi
    run_target "$name" $each &
    running+=($!)
done
for pid in "${running[@]}"; do wait "$pid" || bad=1; done
exit $bad
