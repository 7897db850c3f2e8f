#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install what is missing on a Debian 12 machine, then configure and build into build/. Sourced by demo.sh and test.sh.
#   setup_packages PKG...   install Debian packages that are not there yet
#   setup_python            a virtual environment in build/venv with the packages named after it
#   setup_backends          libraries that loadable backends are built on (docs/backends.md); what cannot be had is left out
#   setup_build [ARG...]    meson setup (once) and compile; ARGs go to meson setup
set -euo pipefail

say() { printf '== %s\n' "$*"; }

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo >/dev/null; then sudo "$@"; else
        echo "need root (or sudo) for: $*" >&2
        return 1
    fi
}

setup_packages() {
    local missing=()
    for p in "$@"; do
        dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing+=("$p")
    done
    [ ${#missing[@]} -eq 0 ] && return 0
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

setup_python() {
    local venv=build/venv
    [ -x $venv/bin/python ] || python3 -m venv $venv
    $venv/bin/python - "$@" <<'PY' || $venv/bin/python -m pip install -q "$@"
import importlib.metadata, sys
for name in sys.argv[1:]:
    importlib.metadata.version(name)
PY
}

setup_backends() { # each alone: one that this Debian or processor lacks must not keep the others away
    local p
    for p in libdnnl-dev libopenblas-dev; do
        setup_packages $p || echo "$p cannot be installed; its backend is left out"
    done
    setup_python onednn-cpu-gomp onednn-devel-cpu-gomp || echo "oneDNN 3 cannot be installed; its backend is left out"
}

setup_build() {
    [ -f build/build.ninja ] || meson setup build "$@"
    ninja -C build
}
