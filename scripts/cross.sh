#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Build for another architecture and run its decoder under qemu-user: scripts/cross.sh arm64|s390x
# It must give the recorded bits for every golden stream; what its encoder makes, this machine must decode to the same
# bits, and the other way round. Needs the cross compiler and qemu-user (scripts/test.sh installs them); zstd and
# xxHash come as Debian packages of that architecture, unpacked below build/cross, nothing is installed.
# Exit status: 0 passed, 1 failed, 77 cannot run here.
set -euo pipefail
cd "$(dirname "$0")/.."
arch=${1:?arm64 or s390x}
case $arch in
    arm64) triplet=aarch64-linux-gnu qemu=qemu-aarch64 ;;
    s390x) triplet=s390x-linux-gnu qemu=qemu-s390x ;;
    *) echo "unknown architecture $arch" >&2; exit 2 ;;
esac
for tool in $triplet-gcc $qemu apt-get dpkg-deb; do
    command -v $tool >/dev/null || { echo "SKIP: $tool is not installed"; exit 77; }
done
mkdir -p build/cross/$arch
root=$PWD/build/cross/$arch/root
build=build/cross/$arch/build

fetch_libraries() {
    local here=$PWD/build/cross/$arch/apt
    local options=(-o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::State::lists=$here/lists"
        -o "Dir::Cache=$here/cache" -o Debug::NoLocking=1 -o APT::Sandbox::User= -qq)
    mkdir -p "$here/lists/partial" "$here/cache/archives/partial" "$here/debs"
    apt-get "${options[@]}" update >"$here/log" 2>&1 || true # sources without this architecture complain
    (cd "$here/debs" && apt-get "${options[@]}" download libzstd-dev libxxhash-dev >>"$here/log" 2>&1) || return 1
    for deb in "$here"/debs/*.deb; do dpkg-deb -x "$deb" "$root"; done
    rm -rf "$here/lists"
}

if [ ! -f "$root/usr/lib/$triplet/libxxhash.a" ]; then
    fetch_libraries || { echo "SKIP: the packages libzstd-dev and libxxhash-dev for $arch cannot be fetched"; exit 77; }
fi
if [ ! -f $build/build.ninja ]; then
    cat >build/cross/$arch/local.ini <<INI
[properties]
sys_root = '$root'
pkg_config_libdir = '$root/usr/lib/$triplet/pkgconfig'

[built-in options]
c_link_args = ['-static', '-L$root/usr/lib/$triplet']
INI
    meson setup $build --cross-file scripts/cross/$arch.ini --cross-file build/cross/$arch/local.ini --prefer-static \
        -Ddefault_library=static -Dnetcdf=disabled >build/cross/$arch/setup.log 2>&1 ||
        { tail -20 build/cross/$arch/setup.log; exit 1; }
fi
ninja -C $build tests/golden/golden tests/golden/vectors tests/fuzz/replay_decompress >build/cross/$arch/build.log 2>&1 ||
    { tail -30 build/cross/$arch/build.log; exit 1; }
there() { $qemu $build/tests/golden/golden "$@"; }
here() { ${FMC_GOLDEN:-build/tests/golden/golden} "$@"; }

there check tests/golden
$qemu $build/tests/golden/vectors tests/unit/data/{faithful.fmcw,faithful.fmcv,klt.fmcw,klt.fmcv}
rm -rf build/cross/$arch/made build/cross/$arch/native
mkdir -p build/cross/$arch/made/streams build/cross/$arch/native/streams
there encode build/cross/$arch/made
here decode build/cross/$arch/made
here encode build/cross/$arch/native
there decode build/cross/$arch/native
$qemu $build/tests/fuzz/replay_decompress tests/golden/errors
same=$(cd build/cross/$arch/native/streams && for f in *; do cmp -s "$f" "../../made/streams/$f" && echo "$f"; done | wc -l)
echo "$same of $(ls build/cross/$arch/native/streams | wc -l) streams are the same bytes when $arch encodes them"
