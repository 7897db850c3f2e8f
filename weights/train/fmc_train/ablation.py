# SPDX-License-Identifier: Apache-2.0
"""Variants of the network under one budget: same steps, same seed, same samples a step, same held-out fields.

Every variant is an ordinary run (resumable) in its own folder, fitted first and then given crops from the same generator state.
Rates are compared with the base at equal error, field by field, with the float decoder unless the recipe quantises.
"""
import json
import math
import pathlib

import numpy as np
import torch

from . import curves, data
from .train import Recipe, Run
from .vae import Config

LEVELS = (0, 2, 4, 6)
HELD_FRAMES, HELD_SIZE = 32, 128

# Half of everything in the nets; the linear path stays.
SLIM = {"widths": (8, 16, 24, 32), "blocks": 3, "sr_width": 8}

# name -> (changes of Config, frames of a crop, families left out)
VARIANTS = {
    "base (klt, 2233, SR, hyperprior, T = 8)": ({}, 8, ()),
    "faithful": ({"variant": "faithful", "stem": "full", "hyper_linear": 0}, 8, ()),
    "2-D only (2222)": ({"dims": (2, 2, 2, 2)}, 8, ()),
    "3-D only (3333)": ({"dims": (3, 3, 3, 3)}, 8, ()),
    "transposed convolutions instead of SR": ({"up": "transposed"}, 8, ()),
    "factorised (no hyperprior)": ({"use_hyper": False, "hyper_linear": 0}, 8, ()),
    "T = 16": ({}, 16, ()),
    "T = 32": ({}, 32, ()),
    "without gray_scott": ({}, 8, ("gray_scott",)),
    "without turbulence2d": ({}, 8, ("turbulence2d",)),
}


def held_out(folders):
    """One crop of 32 frames per kind of field."""
    entries = [e for f in folders for e in data.entries_of_simulations(f, "val")]
    return data.held_out(entries, HELD_FRAMES, HELD_SIZE)


@torch.no_grad()
def curve(model, field, frames, levels=LEVELS):
    """(NRMSE, bits per sample) of a field coded in windows of `frames` frames."""
    x = torch.from_numpy(field)[None, None]
    span, out = float(x.max() - x.min()), []
    for level in levels:
        error = bits = 0.0
        for part in x.split(frames, 2):
            decoded, y_bits, z_bits = model(part, torch.tensor([level]))
            error += float((decoded - part).pow(2).sum())
            bits += float(y_bits + z_bits)
        out.append((math.sqrt(error / x.numel()) / span, bits / x.numel()))
    return out


def one(folder, name, folders, recipe_changes, small=None):
    """Train one variant (or go on) and return {field: curve}, seconds of its steps and number of parameters."""
    changes, frames, without = VARIANTS[name]
    config = Config(**{**(small or {}), **changes})
    recipe = Recipe(**{**recipe_changes, "frames": frames, "batch": max(1, recipe_changes.get("batch", 4) * 8 // frames),
                       "mse_steps": recipe_changes["steps"] // 10 if config.variant == "faithful" else 0,
                       "evaluate_seconds": 10 ** 6})
    slug = "".join(c if c.isalnum() else "_" for c in name)
    run = Run(folder / slug, config, recipe, {"simulations": folders, "fields": [], "without": without}, "cpu")
    if run.step == 0:
        run.crops.rng = np.random.default_rng(recipe.seed + 1)
    run.go()
    if run.stop:
        raise SystemExit("stopped; the same command goes on")
    result = {field: curve(run.average, x, frames) for field, x in held_out(folders)}
    return result, run.seconds, sum(p.numel() for p in run.model.parameters())


def ablate(folder, folders, recipe_changes, names=None, small=None):
    """Rows of the table; results.json in the folder keeps what is done."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    done = json.loads(path.read_text()) if path.exists() else {}
    for name in names or VARIANTS:
        if name not in done:
            result, seconds, parameters = one(folder, name, folders, recipe_changes, small)
            done[name] = json.loads(json.dumps({"curves": result, "seconds": round(seconds), "parameters": parameters}))
            path.write_text(json.dumps(done, indent=1))
            print(row(name, done), flush=True)
    return done


def row(name, done):
    """| variant | parameters | seconds | bits at equal error against the base |, and per left-out family."""
    base = next(iter(VARIANTS))
    changes = []
    if base in done:
        families = VARIANTS[name][2]
        for field, points in done[name]["curves"].items():
            change = curves.mean_rate_change(points, done[base]["curves"][field])
            if change is not None and (not families or field.startswith(families)):
                changes.append(change)
    gain = f"{100 * math.expm1(np.mean(changes)):+.1f} %" if changes else ""
    where = f", judged on {' '.join(VARIANTS[name][2])} alone" if VARIANTS[name][2] else ""
    return f"| {name}{where} | {done[name]['parameters']} | {done[name]['seconds']} | {gain} |"


def plot(done, path):
    """Geometric means of rate and error over the held-out fields."""
    lines = {}
    for name, result in done.items():
        points = list(result["curves"].values())
        lines[name] = [tuple(math.exp(np.mean([math.log(c[i][k]) for c in points])) for k in (0, 1))
                       for i in range(len(LEVELS))]
    curves.plot_rate_distortion(lines, path, "ablations, geometric means over held-out fields")
