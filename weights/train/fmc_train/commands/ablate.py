# SPDX-License-Identifier: Apache-2.0
"""Variants of the network at one small budget. All take the number of steps that the base takes in --minutes (or --steps);
results.json, a table and a plot go to --out, and the same command goes on where it stopped."""
import pathlib
import time

import torch

from .. import ablation
from ..train import Recipe, Run, exact_arithmetic
from ..vae import Config


def arguments(parser):
    parser.add_argument("--data", action="append", required=True, help="folder made by `data`")
    parser.add_argument("--out", required=True)
    parser.add_argument("--minutes", type=float, default=3, help="of the base; its steps are everybody's")
    parser.add_argument("--steps", type=int, help="instead of --minutes")
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append", help="beginning of a variant's name; may be repeated")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--slim", action="store_true", help="nets of half the widths and blocks: more steps in the same time")


def steps_in(minutes, options):
    """Number of steps of the base in the time, measured on a few."""
    folder = pathlib.Path(options.out) / "speed"
    run = Run(folder, Config(**(ablation.SLIM if options.slim else {})), Recipe(steps=10 ** 6, batch=options.batch), {"simulations": options.data, "fields": []}, "cpu")
    begun, count = time.monotonic(), 20
    for _ in range(count):
        run.one_step()
    return max(20, int(60 * minutes * count / (time.monotonic() - begun)))


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    note = out / "steps"
    if not note.exists():
        note.write_text(str(options.steps or steps_in(options.minutes, options)))
    changes = {"steps": int(note.read_text()), "rate": options.rate, "batch": options.batch, "seed": options.seed,
               "quantised_share": 0.0}
    names = [n for n in ablation.VARIANTS if not options.only or n.startswith(tuple(options.only))]
    done = ablation.ablate(out, options.data, changes, names, ablation.SLIM if options.slim else None)
    table = [f"{changes['steps']} steps, batch {options.batch}{', slim nets' if options.slim else ''}, float decoder\n",
             "| variant | parameters | seconds | bits at equal error against the base |", "|---|---|---|---|"]
    table += [ablation.row(name, done) for name in done]
    (out / "table.md").write_text("\n".join(table) + "\n")
    print("\n".join(table))
    ablation.plot(done, out / "ablations.png")
