# SPDX-License-Identifier: Apache-2.0
"""Bits per sample and NRMSE per quality level on held-out fields, beside the model at step 0 and SPERR at equal error.

Bits are the model's code lengths (the range coder adds under 0.1 %), SPERR's are bytes of its stream. All code the same
crop: --frames frames of up to --size squared.
"""
import csv
import math
import pathlib

import numpy as np
import torch

from .. import curves, data, sperr
from ..export import load_checkpoint
from ..train import evaluate, exact_arithmetic


def arguments(parser):
    parser.add_argument("--run", required=True)
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--split", default="val", choices=("val", "ood", "train"))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--levels", default="0,2,4,6,7")
    parser.add_argument("--no-sperr", action="store_true")
    parser.add_argument("--out", help="folder for evaluate-SPLIT.csv and .png; default: the run")


def run(options):
    torch.set_num_threads(1)
    exact_arithmetic()
    folder, out = pathlib.Path(options.run), pathlib.Path(options.out or options.run)
    levels = [int(v) for v in options.levels.split(",")]
    entries = [e for f in options.data for e in data.entries_of_simulations(f, options.split)]
    fields = data.held_out(entries, options.frames, options.size)
    now, state = load_checkpoint(folder / "latest.pt")
    start, _ = load_checkpoint(folder / "start.pt")
    print(f"step {state['step']}, {'integer' if now.synthesis.quantised else 'float'} decoder, {len(fields)} fields")
    rows, means = [], {level: [] for level in levels}
    for name, field in fields:
        points = evaluate(now, [(name, field)], "cpu", levels)[name]
        before = evaluate(start, [(name, field)], "cpu", levels)[name]
        span = float(field.max() - field.min())
        for level, (error, rate) in zip(levels, points):
            linear = math.exp(np.interp(math.log(error), *zip(*sorted((math.log(e), math.log(r)) for e, r in before))))
            inside = min(e for e, _ in before) <= error <= max(e for e, _ in before)
            other = None if options.no_sperr else sperr.bits_at(field, error * span) / field.size
            row = {"field": name, "level": level, "nrmse": error, "bits": rate, "linear": linear if inside else "",
                   "sperr": other or ""}
            rows.append(row)
            means[level].append((error, rate, linear if inside else None, other))
        print(name, " ".join(f"[{r['nrmse']:.4f} {r['bits']:.4f} lin {r['linear'] or math.nan:.4f} "
                             f"sperr {r['sperr'] or math.nan:.4f}]" for r in rows[-len(levels):]), flush=True)
    path = out / f"evaluate-{options.split}.csv"
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)

    def geo(values):
        values = [v for v in values if v]
        return math.exp(np.mean(np.log(values))) if values else math.nan

    print("\n| level | NRMSE | bits/sample | step 0 / model, equal error | SPERR / model, equal error |\n|---|---|---|---|---|")
    plot = {"model": [], "step 0": [], "SPERR": []}
    for level, values in means.items():
        error, rate = geo(v[0] for v in values), geo(v[1] for v in values)
        over = geo(v[2] / v[1] for v in values if v[2])
        gain = geo(v[3] / v[1] for v in values if v[3])
        print(f"| {level} | {error:.4f} | {rate:.4f} | {over:.3f} | {gain:.3f} |")
        plot["model"].append((error, rate))
        plot["step 0"].append((error, rate * over))
        plot["SPERR"].append((error, rate * gain))
    curves.plot_rate_distortion({k: [p for p in v if p[1] == p[1]] for k, v in plot.items()}, path.with_suffix(".png"),
                                f"{options.split}, step {state['step']}, geometric means over {len(fields)} fields")
