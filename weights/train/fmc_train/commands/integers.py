# SPDX-License-Identifier: Apache-2.0
"""Cost of integers: bits at equal error of a run's weights with the integer decoder against the same weights in float."""
import math
import pathlib

import numpy as np
import torch

from .. import curves, data
from ..export import load_checkpoint
from ..train import evaluate, exact_arithmetic


def arguments(parser):
    parser.add_argument("--run", required=True, help="folder of a quantisation aware run")
    parser.add_argument("--data", action="append", required=True)
    parser.add_argument("--split", default="val", choices=("val", "ood"))
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--levels", default="0,2,4,6")
    parser.add_argument("--threads", type=int, default=1)


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    model, state = load_checkpoint(pathlib.Path(options.run) / "latest.pt")
    if not model.synthesis.quantised:
        raise SystemExit("the run has no quantisation aware steps yet")
    fields = data.held_out([e for f in options.data for e in data.entries_of_simulations(f, options.split)], options.frames,
                           options.size)
    levels = [int(v) for v in options.levels.split(",")]
    modes = {"synthesis": (False, True), "means and scales": (True, False), "both": (True, True)}
    results = {}
    for name, (hyper, synthesis) in {"float": (False, False), **modes}.items():
        model.hyper.quantised, model.synthesis.quantised = hyper, synthesis
        results[name] = evaluate(model, fields, "cpu", levels)
    print(f"step {state['step']}, {len(fields)} fields of {options.split}\n")
    print("| in integers | bits at equal error: mean | least | most |\n|---|---|---|---|")
    for name in modes:
        changes = [curves.mean_rate_change(results[name][f], results["float"][f]) for f, _ in fields]
        changes = [100 * math.expm1(c) for c in changes if c is not None]
        print(f"| {name} | {np.mean(changes):+.2f} % | {min(changes):+.2f} % | {max(changes):+.2f} % |")
