#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check what libfmc exports: symbols against tests/abi/symbols.txt, lib/fmc.map and the headers; types against
tests/abi/libfmc.abi with abidiff where that is installed.

    scripts/check_abi.py build/lib/libfmc.so             check
    scripts/check_abi.py build/lib/libfmc.so --update    write the golden files anew (after an intended change)

Exit status 0: as stored, 1: different, 2: cannot check.
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ABI = os.path.join(ROOT, "tests", "abi")
OPAQUE = os.path.join(ABI, "opaque.abignore")
INCLUDE = os.path.join(ROOT, "include")


def run(*command):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def exported(library):
    """Defined dynamic symbols; version nodes (FMC_0.1) and linker symbols left out."""
    done = run("nm", "-D", "--defined-only", library)
    if done.returncode:
        sys.exit(f"nm failed: {done.stdout}")
    names = set()
    for line in done.stdout.splitlines():
        parts = line.split()
        name = parts[-1].split("@")[0]
        if parts[-2] != "A" and name not in ("_init", "_fini", "__bss_start", "_edata", "_end"):
            names.add(name)
    return names


def declared():
    """Functions marked FMC_API in the headers."""
    names = set()
    for base, _, files in os.walk(INCLUDE):
        for file in files:
            if file.endswith(".h"):
                with open(os.path.join(base, file)) as f:
                    text = re.sub(r"/\*.*?\*/", "", f.read(), flags=re.S)
                text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
                names.update(re.findall(r"FMC_API\b[^;(]*?(\w+)\s*\(", text))
    return names


def mapped():
    """Names in the version script."""
    with open(os.path.join(ROOT, "lib", "fmc.map")) as f:
        body = f.read()
    return set(re.findall(r"\b(fmc_\w+)\s*;", body))


def stored():
    with open(os.path.join(ABI, "symbols.txt")) as f:
        return set(f.read().split())


def differs(title, want, got):
    for name in sorted(want - got):
        print(f"{title}: {name} is missing")
    for name in sorted(got - want):
        print(f"{title}: {name} is new")
    return want != got


def dump(library, path):
    """Write the baseline; where sources and libraries lie on this machine is left out."""
    done = run("abidw", "--suppressions", OPAQUE, "--headers-dir", INCLUDE, "--drop-private-types", "--no-corpus-path",
               "--no-comp-dir-path", "--no-show-locs", "--no-elf-needed", "--out-file", path, library)
    if done.returncode == 0:
        with open(path) as f:
            text = re.sub(r" path='[^']*/([^/']*)'", r" path='\1'", f.read())
        with open(path, "w") as f:
            f.write(text)
    return done


def has_types(library):
    return ".debug_info" in run("readelf", "-S", "--wide", library).stdout


def check_types(library):
    baseline = os.path.join(ABI, "libfmc.abi")
    if not shutil.which("abidiff"):
        print("SKIP types: abidiff is not installed (Debian: abigail-tools)")
        return False
    if not os.path.exists(baseline):
        print("SKIP types: there is no tests/abi/libfmc.abi")
        return False
    machine = run("uname", "-m").stdout.strip()
    with open(baseline) as f:
        if f"architecture='elf-{'amd-x86_64' if machine == 'x86_64' else machine}'" not in f.read(4096):
            print(f"SKIP types: the baseline is of another machine than {machine}")
            return False
    if not has_types(library):
        print("SKIP types: the library has no debug information (build with -g)")
        return False
    done = run("abidiff", "--no-architecture", "--suppressions", OPAQUE, baseline, library)
    if done.returncode & 3:  # the tool itself failed or was called wrongly
        print(f"abidiff failed: {done.stdout}")
        return True
    if done.returncode:
        print(done.stdout)
    return done.returncode != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("library")
    parser.add_argument("--update", action="store_true")
    args = parser.parse_args()
    if not shutil.which("nm"):
        print("SKIP: nm is not installed")
        return 2
    names = exported(args.library)
    if args.update:
        with open(os.path.join(ABI, "symbols.txt"), "w") as f:
            f.write("".join(name + "\n" for name in sorted(names)))
        if shutil.which("abidw") and not has_types(args.library):
            print("the library has no debug information (build with -g): tests/abi/libfmc.abi is left as it is")
            return 1
        if shutil.which("abidw"):
            done = dump(args.library, os.path.join(ABI, "libfmc.abi"))
            if done.returncode:
                print(done.stdout)
                return 1
        return 0
    bad = differs("headers", stored(), declared())
    bad |= differs("lib/fmc.map", stored(), mapped())
    bad |= differs(os.path.basename(args.library), stored(), names)
    bad |= check_types(args.library)
    print("ABI differs" if bad else "ABI as stored")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
