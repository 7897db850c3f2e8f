#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that the documents are true: every relative link leads somewhere, and every fenced block of README.md and
docs/edge_cases.md that is marked sh, python or c runs, in this order, in one scratch folder.

    scripts/check_docs.py [BUILD]      BUILD defaults to build/: its fmc, libfmc and headers are used

Lines that begin with scripts/ or git are not run (they are the tests' own callers). Exit status 1 with the failure.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[1]
RUN = ["README.md", "docs/edge_cases.md"]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def broken_links():
    for path in sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("bindings/**/*.md")):
        if "build" in path.relative_to(ROOT).parts[0]:
            continue
        for target in LINK.findall(path.read_text()):
            if "://" not in target and not target.startswith("mailto:") and not (path.parent / target).exists():
                yield f"{path.relative_to(ROOT)}: no such file: {target}"


def environment(build):
    env = dict(os.environ, FMC_LIBRARY=str(build / "lib" / "libfmc.so"), LD_LIBRARY_PATH=str(build / "lib"))
    env["PATH"] = f"{build / 'cli'}:{pathlib.Path(sys.executable).parent}:{env['PATH']}"
    env["PYTHONPATH"] = str(ROOT / "bindings" / "python")
    return env


def command_of(kind, text, scratch, build):
    if kind == "sh":
        lines = [line for line in text.splitlines() if not line.startswith(("scripts/", "git ", "meson ", "pip ", "cc "))]
        return ["bash", "-ec", "\n".join(lines)]
    if kind == "python":
        return [sys.executable, "-c", text]
    source = scratch / "example.c"
    source.write_text(text)
    program = scratch / "example"
    return ["bash", "-ec", f"cc -std=c11 -Wall -Wextra -Werror -I{ROOT}/include {source} -o {program} "
                           f"-L{build}/lib -lfmc -lm && {program}"]


def run_blocks(build):
    with tempfile.TemporaryDirectory() as folder:
        scratch = pathlib.Path(folder)
        for name in RUN:
            for kind, text in BLOCK.findall((ROOT / name).read_text()):
                if kind not in ("sh", "python", "c"):
                    continue
                done = subprocess.run(command_of(kind, text, scratch, build), cwd=scratch, env=environment(build),
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
                print(f"{name}: {kind} block, status {done.returncode}")
                if done.returncode:
                    yield f"{name}: this block fails:\n{text}\n{done.stdout}"


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build").resolve()
    failures = list(broken_links()) + list(run_blocks(build))
    print("\n".join(failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
