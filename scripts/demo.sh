#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Everything once, on a fresh Debian 12: install what is missing, build, make a field with the solver in
# scripts/demo_field.c, compress, decompress and verify it, and compare with SZ3 and SPERR. Ends with build/demo.png.
source "$(dirname "$0")/setup.sh"
cd "$(dirname "$0")/.."

setup_packages gcc meson ninja-build pkg-config libzstd-dev libxxhash-dev libcmocka-dev python3-venv
setup_build >build_demo.log 2>&1 || { cat build_demo.log; exit 1; }
mv build_demo.log build/demo_build.log
setup_python numpy cffi matplotlib pysz imagecodecs || {
    say "the peers cannot be installed here; the demo goes on without them"
    setup_python numpy cffi matplotlib
}

say "solving two-dimensional turbulence (a few seconds)"
cc -std=c11 -O2 scripts/demo_field.c -o build/demo_field -lm
build/demo_field build/demo.npy

say "fmc compress build/demo.npy -o build/demo.fmc --rel 1e-3"
build/cli/fmc compress build/demo.npy -o build/demo.fmc --rel 1e-3
build/cli/fmc decompress build/demo.fmc -o build/demo_back.npy
build/cli/fmc verify build/demo.npy build/demo.fmc
say "against the peers, one core"
build/venv/bin/python scripts/demo.py build/demo.npy build/demo.png
