# SPDX-License-Identifier: Apache-2.0
"""Heavy-tailed data: exp(s g) of smooth Gaussian fields g, against SPERR at equal error."""
import math
import pathlib

import numpy as np
import torch

from .. import fmcw, importer, sperr, tiny
from ..train import evaluate, exact_arithmetic


def arguments(parser):
    parser.add_argument("model", help=".fmcw")
    parser.add_argument("--spreads", default="0,0.5,1,2", help="values of s; 0 is g itself")
    parser.add_argument("--count", type=int, default=3, help="fields")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    model = importer.trainable(fmcw.read(pathlib.Path(options.model).read_bytes()))
    model.set_quantised(True)
    fields = tiny.random_fields(options.count, options.seed, 16, 128)[:, 0].numpy()
    print("| s | kurtosis | level | NRMSE | RMSE / standard deviation | bits/sample | SPERR / model, equal error |")
    print("|---|---|---|---|---|---|---|")
    for s in map(float, options.spreads.split(",")):
        rows = {level: [] for level in (0, 4, 7)}
        tails = []
        for g in fields:
            g = (g - g.mean()) / g.std()
            x = np.exp(s * g) if s else g
            x = ((x - x.mean()) / x.std()).astype(np.float32)
            tails.append(float((x.astype(np.float64) ** 4).mean()))
            span = float(x.max() - x.min())
            for level, (error, bits) in zip(rows, evaluate(model, [("x", x)], "cpu", list(rows))["x"]):
                rows[level].append((error, error * span, bits, sperr.bits_at(x, error * span) / x.size / bits))
        for level, values in rows.items():
            means = [math.exp(np.mean(np.log(v))) for v in zip(*values)]
            print(f"| {s:g} | {np.mean(tails):.1f} | {level} | {means[0]:.4f} | {means[1]:.3f} | {means[2]:.4f} | {means[3]:.2f} |",
                  flush=True)
