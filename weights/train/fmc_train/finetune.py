# SPDX-License-Identifier: Apache-2.0
"""Weights for one's own data: start from a model, train on the beginning of every array, judge on its last tenth, export."""
import math
import pathlib

import numpy as np
import torch

from . import curves, data, fmcw, importer
from .export import export, load_checkpoint
from .train import Recipe, Run, evaluate
from .vae import Config

HELD_OUT, LEAST = 0.1, 8        # share of the frames kept for judging, and how many at least
SHIPPED = pathlib.Path(__file__).resolve().parents[2] / "vae.fmcw"


def share_to_train(path):
    """Share of an array's frames to train on."""
    frames = data.as_sequence(np.load(path, mmap_mode="r")).shape[0]
    if frames < 3 * LEAST:
        raise SystemExit(f"{path}: {frames} frames; fine-tuning needs {3 * LEAST} or more")
    return 1 - max(HELD_OUT, LEAST / frames)


def open_source(path):
    """Trainable model from a model file or a checkpoint."""
    path = pathlib.Path(path)
    if path.suffix == ".pt":
        return load_checkpoint(path)[0]
    return importer.trainable(fmcw.read(path.read_bytes()))


def last_frames(paths, size):
    """The frames kept for judging: list of (name, (T, H, W)), scaled as a whole, cut to `size` squared in the middle."""
    out = []
    for path in paths:
        (name, part), = data.entries_of_arrays([path], share_to_train(path), later=True)
        field = np.asarray(data.open_field(part))
        h, w = (min(size, n // 16 * 16) for n in field.shape[1:])
        y, x = (field.shape[1] - h) // 2, (field.shape[2] - w) // 2
        crop = field[:field.shape[0] // 4 * 4, y:y + h, x:x + w]
        out.append((name, ((crop - field.mean()) / (field.std() + 1e-30)).astype(np.float32)))
    return out


def continued(source, folder):
    """Config of a model file or checkpoint, and a checkpoint of it in the folder of a run that goes on from it."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    model = open_source(source)
    config = Config(**{k: tuple(v) if isinstance(v, list) else v for k, v in model.config.as_dict().items()})
    begin = folder / "source.pt"
    if not begin.exists():
        torch.save({"config": config.as_dict(), "model": model.state_dict()}, begin)
    return config, str(begin)


def finetune(paths, source, out, folder, recipe_changes, device="cpu", size=256, record=None):
    """Train, export to `out`, and return (curves before, curves after): name -> list of (NRMSE, bits per sample) per level.

    paths: .npy files, time first. source: .fmcw or .pt. folder: of the run, resumable. recipe_changes: fields of Recipe.
    """
    folder = pathlib.Path(folder)
    config, begin = continued(source, folder)
    recipe = Recipe(**{"batch": 2, "rate": 5e-4, "warm": 20, "evaluate_seconds": 600, **recipe_changes})
    shares = [share_to_train(path) for path in paths]
    fields = {"simulations": [], "fields": [], "arrays": [str(p) for p in paths], "share": min(shares)}
    run = Run(folder, config, recipe, fields, device, begin, keep=True)
    run.go()
    if run.stop:
        raise SystemExit("stopped; the same command goes on")
    tuned, state = load_checkpoint(folder / "latest.pt")
    about = {"config": config.as_dict(), "architecture": "vae", "finetuned": {
        "from": pathlib.Path(source).name, "arrays": [pathlib.Path(p).name for p in paths], "steps": state["step"],
        "seconds": round(state["seconds"]), "torch": torch.__version__, **(record or {})}}
    pathlib.Path(out).write_bytes(fmcw.write(export(tuned, about)))
    held = last_frames(paths, size)
    before = open_source(source)
    if before.synthesis.fracs.min() > -1000:
        before.set_quantised(True)
    after = importer.trainable(fmcw.read(pathlib.Path(out).read_bytes()))
    after.set_quantised(True)
    return evaluate(before, held, "cpu"), evaluate(after, held, "cpu")


def report(before, after):
    """Markdown table of what was gained, mean over the arrays, and the change of bits at equal error."""
    lines = ["| level | before: NRMSE | bits/sample | after: NRMSE | bits/sample |", "|---|---|---|---|---|"]
    count = len(next(iter(before.values())))
    for level in range(count):
        cells = []
        for result in (before, after):
            points = [p[level] for p in result.values()]
            cells += [math.exp(np.mean([math.log(max(e, 1e-12)) for e, _ in points])), float(np.mean([b for _, b in points]))]
        lines.append(f"| {level} | {cells[0]:.5f} | {cells[1]:.4f} | {cells[2]:.5f} | {cells[3]:.4f} |")
    changes = [curves.mean_rate_change(after[name], before[name]) for name in after]
    changes = [c for c in changes if c is not None]
    if changes:
        lines.append(f"\nbits at equal error on frames that were not trained on: {100 * math.expm1(np.mean(changes)):+.1f} %")
    return "\n".join(lines)
