#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What learned models change: sizes of real streams without one, with the choice, with one forced, and of SPERR, at equal error.

Every stream is decoded and its bound checked. Rows go to OUT/models.csv as they are measured, and the same command goes on where
it stopped; OUT/models.md has the tables. DATA_DIR is a folder of .npy fields, or one made by `python -m fmc_train data`, of
which one field of each kind of its held-out simulations (--split) is taken.

  bench/models.py DATA --out OUT --model weights/vae.fmcw
  bench/models.py TEST --out OUT --model weights/vae.fmcw --stored peers-test.csv     SPERR's sizes from a file

Needs the PyPI packages numpy and cffi, and imagecodecs for SPERR where no stored figures are given.
"""
import argparse
import csv
import json
import math
import os
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fmcbench import fields, measure, ours, peers, rows  # noqa: E402

TARGETS = [("nrmse", 1e-2), ("nrmse", 3e-3), ("nrmse", 1e-3), ("bound", 1e-2), ("bound", 1e-3)]
WAYS = {  # name -> arguments of fmc.compress, "model" standing for the given one
    "classical": {"model": False},
    "transform": {"model": False, "coder": "transform"},
    "choice": {"model": "model"},
    "vae": {"model": "model", "coder": "vae"},
    "vae+pca": {"model": "model", "coder": "vae+pca"},
}
COLUMNS = ("field", "way", "kind", "target", "samples", "bytes", "nrmse", "max_err_rel", "seconds_in", "seconds_out", "coder")


def parse_arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", metavar="DATA_DIR", type=pathlib.Path)
    p.add_argument("--out", required=True, type=pathlib.Path, metavar="DIR")
    p.add_argument("--model", required=True, help="file of weights")
    p.add_argument("--ways", default="classical,transform,choice,vae", help="of " + ",".join(WAYS) + ",SPERR (SPERR is always added)")
    p.add_argument("--fields", help="only these, comma separated")
    p.add_argument("--split", default="val", help="of a folder of simulations (val)")
    p.add_argument("--effort", type=int, default=5)
    p.add_argument("--nrmse", help="only these targets, comma separated; `none` for none")
    p.add_argument("--bound", help="likewise")
    p.add_argument("--stored", metavar="CSV", help="SPERR's figures, measured before; none is measured")
    p.add_argument("--library", help="the libfmc to measure")
    return p.parse_args(argv)


def targets(args):
    def wanted(kind, value):
        given = getattr(args, kind)
        return given is None or (given != "none" and any(abs(float(v) / value - 1) < 1e-6 for v in given.split(",")))
    return [t for t in TARGETS if wanted(*t)]


def discover(folder, split, names):
    """List of (name, path)."""
    index = folder / "index.jsonl"
    if index.exists():
        found = {}
        for row in map(json.loads, index.read_text(encoding="utf-8").splitlines()):
            if row["split"] == split:
                found.setdefault(f"{row['family']}/{row['name']}", folder / row["file"])
        out = list(found.items())
    else:
        out = [(f.name, f.path) for f in fields.discover(folder)]
    return [(n, p) for n, p in out if not names or n in names]


class Rows:
    """What is measured already, and a file to add to."""

    def __init__(self, path):
        self.path, self.done = path, {}
        if path.exists():
            with open(path, newline="", encoding="utf-8") as f:
                for row in csv.DictReader(f):
                    self.done[self.key(row)] = row

    @staticmethod
    def key(row):
        return row["field"], row["way"], row["kind"], f"{float(row['target']):g}"

    def add(self, row):
        new = not self.path.exists()
        with open(self.path, "a", newline="", encoding="utf-8") as f:
            writer = csv.DictWriter(f, COLUMNS)
            if new:
                writer.writeheader()
            writer.writerow(row)
        self.done[self.key(row)] = row

    def size(self, *key):
        row = self.done.get(key)
        return float(row["bytes"]) if row and row["bytes"] else None


def own_row(fmc, sample, way, kind, target, effort, model):
    """Bytes, error, seconds and coder of one stream of ours. ValueError where the bound is broken."""
    arguments = {k: model if v == "model" else v for k, v in WAYS[way].items()}
    bound = {"nrmse": target} if kind == "nrmse" else {"rel": target}
    begun = time.perf_counter()
    data = fmc.compress(sample.array, effort=effort, threads=1, **bound, **arguments)
    middle = time.perf_counter()
    decoded = fmc.decompress(data, threads=1, models=[model])
    seconds = middle - begun, time.perf_counter() - middle
    nrmse, worst = sample.errors(decoded)
    if (nrmse if kind == "nrmse" else worst) > target * (1 + 1e-9):
        raise ValueError(f"bound broken: {way} {kind} {target}: {nrmse} {worst}")
    chunks = fmc.info(data)["chunks"]
    names = sorted({c["coder"] + ("+model" if c.get("model") else "") for c in chunks})
    return {"bytes": len(data), "nrmse": nrmse, "max_err_rel": worst, "seconds_in": round(seconds[0], 3),
            "seconds_out": round(seconds[1], 3), "coder": " ".join(names)}


def sperr_row(sample, kind, target):
    best = peers.best_lossy(peers.BY_NAME["SPERR"], sample, kind, target)
    return {"bytes": best.size if best else ""}


def geometric(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def tables(done, names, samples, ways, wanted):
    """Markdown: geometric means over the fields that all ways have, then ratios field by field."""
    heads = [f"{kind} {target:g}" for kind, target in wanted]
    out = ["Geometric mean of the ratio, over the fields that have every figure:\n", "| | " + " | ".join(heads) + " |",
           "|---" * (len(heads) + 1) + "|"]
    sizes = {(n, w, i): done.size(n, w, k, f"{t:g}") for n in names for w in ways for i, (k, t) in enumerate(wanted)}
    whole = [[n for n in names if all(sizes[n, w, i] for w in ways)] for i in range(len(wanted))]

    def mean(way, i):
        return geometric(4 * samples[n] / sizes[n, way, i] for n in whole[i])
    for way in ways:
        out.append(f"| {way} | " + " | ".join(f"{mean(way, i) or math.nan:.2f}" for i in range(len(wanted))) + " |")
    for a, b in (("choice", "classical"), ("vae", "classical"), ("vae", "transform"), ("vae", "SPERR"), ("choice", "SPERR"), ("classical", "SPERR")):
        if a in ways and b in ways:
            cells = [f"{mean(a, i) / mean(b, i):.3f}" if whole[i] else "" for i in range(len(wanted))]
            out.append(f"| {a} / {b} | " + " | ".join(cells) + " |")
    out.append("| fields | " + " | ".join(str(len(w)) for w in whole) + " |")
    out += ["\nRatio, field by field (" + " / ".join(ways) + "):\n", "| field | " + " | ".join(heads) + " |",
            "|---" * (len(heads) + 1) + "|"]
    for n in names:
        cells = [" / ".join(f"{4 * samples[n] / sizes[n, w, i]:.1f}" if sizes[n, w, i] else "-" for w in ways)
                 for i in range(len(wanted))]
        out.append(f"| {n} | " + " | ".join(cells) + " |")
    return "\n".join(out) + "\n"


def main(argv=None):
    args = parse_arguments(argv)
    if args.library:
        os.environ["FMC_LIBRARY"] = args.library
    ours.library_hash()
    import fmc
    model, wanted = fmc.Model(args.model), targets(args)
    ways = args.ways.split(",")
    found = discover(args.data, args.split, args.fields and args.fields.split(","))
    args.out.mkdir(parents=True, exist_ok=True)
    done, samples = Rows(args.out / "models.csv"), {}
    stored = {}
    if args.stored:
        for row in rows.read_stored(args.stored):
            if row["codec"] == "SPERR" and rows.usable(row):
                key = row["field"], "SPERR", row["kind"], f"{row['target']:g}"
                stored[key] = min(row["bytes"], stored.get(key, row["bytes"]))
    for number, (name, path) in enumerate(found):
        sample = measure.Sample(np.load(path))
        samples[name] = sample.array.size * sample.array.itemsize / 4
        for kind, target in wanted:
            for way in ways + ["SPERR"]:
                key = name, way, kind, f"{target:g}"
                if key in done.done:
                    continue
                row = {"field": name, "way": way, "kind": kind, "target": target, "samples": sample.array.size}
                if way != "SPERR":
                    row |= own_row(fmc, sample, way, kind, target, args.effort, model)
                elif args.stored:
                    row["bytes"] = stored.get(key, "")
                else:
                    row |= sperr_row(sample, kind, target)
                done.add(row)
        (args.out / "models.md").write_text(tables(done, [n for n, _ in found[:number + 1]], samples, ways + ["SPERR"], wanted),
                                            encoding="utf-8")
        print(name, flush=True)
    print((args.out / "models.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
