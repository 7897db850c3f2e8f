#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed and memory of every coder of fmc, forced one after another, at every effort: a Markdown table.

For each field of DATA_DIR (a folder of .npy fields): MB/s of CPU time in and out on one thread, wall time of two threads against
one, resident memory beyond the array at its peak, and the ratio. The table has geometric means over the fields that a coder can
take, and the largest peak. Every stream is decoded. Each coder and effort runs in a process of its own.

  bench/coders.py DATA --nrmse 1e-3 --efforts 1,5,9

Needs the PyPI packages numpy and cffi. Two threads say nothing on a machine that is busy.
"""
import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fmcbench import fields, measure, ours  # noqa: E402

CODERS = ("auto", "transform", "interp", "grid", "exact", "pca", "vae", "vae+pca")
COLUMNS = ("fields", "ratio", "MB/s in", "MB/s out", "two threads in", "out", "peak in, MiB", "out")


def parse_arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", metavar="DATA_DIR", help="folder of .npy fields")
    p.add_argument("--coders", default=",".join(CODERS))
    p.add_argument("--efforts", default="1,5,9")
    p.add_argument("--nrmse", type=float, default=1e-3)
    p.add_argument("--fields", help="only these, comma separated")
    p.add_argument("--rounds", type=int, default=3, help="the shortest times count")
    p.add_argument("--library", help="the libfmc to measure")
    p.add_argument("--worker", help=argparse.SUPPRESS)
    return p.parse_args(argv)


def one_round(fmc, array, arguments, threads):
    """(bytes, wall and CPU seconds in, out, peaks in, out)."""
    with measure.Meter() as into:
        cpu = [time.process_time()]
        data = fmc.compress(array, threads=threads, **arguments)
        cpu.append(time.process_time())
    with measure.Meter() as back:
        fmc.decompress(data, threads=threads)
        cpu.append(time.process_time())
    return len(data), into.seconds, back.seconds, cpu[1] - cpu[0], cpu[2] - cpu[1], into.peak, back.peak


def measure_field(fmc, path, arguments, rounds):
    """What a table line is made of, or None where the coder cannot take the field."""
    array = np.load(path)
    try:
        alone = [one_round(fmc, array, arguments, 1) for _ in range(rounds)]
        pair = [one_round(fmc, array, arguments, 2) for _ in range(rounds)]
    except fmc.Error:
        return None
    least, both = [min(v) for v in zip(*(r[:5] for r in alone))], [min(v) for v in zip(*(r[:3] for r in pair))]
    return {"ratio": array.nbytes / least[0], "in": array.nbytes / 1e6 / max(least[3], 1e-6),
            "out": array.nbytes / 1e6 / max(least[4], 1e-6), "two in": least[1] / both[1], "two out": least[2] / both[2],
            "peak in": alone[0][5], "peak out": alone[0][6]}  # later rounds find memory that is already there


def worker(task):
    """Measurements of all fields for one coder and effort."""
    ours.library_hash()
    import fmc
    arguments = {"nrmse": task["nrmse"], "effort": task["effort"]}
    if task["coder"] != "auto":
        arguments["coder"] = task["coder"]
    print(json.dumps([measure_field(fmc, path, arguments, task["rounds"]) for path in task["paths"]]))


def line(found):
    found = [f for f in found if f]
    if not found:
        return ["0"] + ["-"] * (len(COLUMNS) - 1)

    def mean(key):
        return math.exp(sum(math.log(f[key]) for f in found) / len(found))

    def peak(key):
        known = [f[key] for f in found if f[key] is not None]
        return f"{max(known) / 2 ** 20:.0f}" if known else "-"
    return [str(len(found)), f"{mean('ratio'):.1f}", f"{mean('in'):.1f}", f"{mean('out'):.1f}", f"{mean('two in'):.2f}",
            f"{mean('two out'):.2f}", peak("peak in"), peak("peak out")]


def main(argv=None):
    args = parse_arguments(argv)
    if args.library:
        os.environ["FMC_LIBRARY"] = args.library
    if args.worker:
        worker(json.loads(args.worker))
        return
    names = args.fields and args.fields.split(",")
    paths = [str(f.path) for f in fields.discover(args.data) if not names or f.name in names]
    print("| coder | effort | " + " | ".join(COLUMNS) + " |\n" + "|---" * (len(COLUMNS) + 2) + "|", flush=True)
    for coder in args.coders.split(","):
        for effort in map(int, args.efforts.split(",")):
            task = json.dumps({"coder": coder, "effort": effort, "nrmse": args.nrmse, "rounds": args.rounds, "paths": paths})
            done = subprocess.run([sys.executable, __file__, args.data, "--worker", task], capture_output=True, text=True, check=False)
            cells = line(json.loads(done.stdout)) if done.returncode == 0 else [done.stderr.strip().splitlines()[-1]]
            print(f"| {coder} | {effort} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
