# SPDX-License-Identifier: Apache-2.0
"""Training data: made by our solvers into a folder, read back with the fields of a data folder, cut into crops.

A data folder has index.jsonl, one JSON line a field:
    {"file", "split", "family", "name", "layout": "tyx" | "zyx", "shape", "seed", "params", "cpu_seconds"}
Making data is resumable: job i of a seed is always the same simulation, and finished jobs are listed in jobs.jsonl.
"""
import json
import pathlib
import time
from typing import NamedTuple

import numpy as np

from .solvers import FAMILIES

HELD_OUT_ROUNDS = 2         # simulations per family for val and for ood, made first


def job(number, seed):
    """Family, split and seed of a job. Held-out jobs come first; training jobs follow the families' shares."""
    names = list(FAMILIES)
    held_out = 2 * HELD_OUT_ROUNDS * len(names)
    if number < held_out:
        return names[number % len(names)], ("val", "ood")[number // len(names) % 2], (seed, 1, number)
    cycle = [name for name in names for _ in range(FAMILIES[name][1])]
    if len(cycle) % 5:
        cycle = [cycle[(5 * i) % len(cycle)] for i in range(len(cycle))]      # spread the families over the cycle
    return cycle[(number - held_out) % len(cycle)], "train", (seed, 0, number)


def usable(field):
    """Fields that died out, blew up or stand still teach nothing."""
    if not np.isfinite(field).all():
        return False
    spread = float(field.std())
    return spread > 1e-6 and spread > 1e-4 * float(np.abs(field).max())


def make(folder, minutes, seed):
    """Run jobs until `minutes` of this process's CPU time are used. Returns the number of fields written."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done_file = folder / "jobs.jsonl"
    done = {tuple(json.loads(line)["key"]) for line in done_file.read_text().splitlines()} if done_file.exists() else set()
    start, number, written = time.process_time(), -1, 0
    while time.process_time() - start < 60 * minutes:
        number += 1
        family, split, key = job(number, seed)
        if key in done:
            continue
        module = FAMILIES[family][0]
        rng = np.random.default_rng(key)
        params, run_seed = module.draw(rng, split), int(rng.integers(2 ** 31))
        before = time.process_time()
        fields = module.run(params, run_seed)
        spent = time.process_time() - before
        lines = []
        for name, field in fields.items():
            if not usable(field):
                continue
            file = f"{split}/{family}_{seed}_{number:05d}_{name}.npy"
            (folder / split).mkdir(exist_ok=True)
            np.save(folder / file, np.ascontiguousarray(field, np.float32))
            layout = "zyx" if name.startswith("volume_") else "tyx"
            lines.append({"file": file, "split": split, "family": family, "name": name, "layout": layout,
                          "shape": list(field.shape), "seed": run_seed, "params": params,
                          "cpu_seconds": round(spent, 2)})
        with open(folder / "index.jsonl", "a") as index:
            index.writelines(json.dumps(line) + "\n" for line in lines)
        with open(done_file, "a") as out:
            out.write(json.dumps({"key": list(key), "family": family, "split": split, "fields": len(lines)}) + "\n")
        written += len(lines)
    return written


def entries_of_simulations(folder, split):
    folder = pathlib.Path(folder)
    rows = [json.loads(line) for line in (folder / "index.jsonl").read_text().splitlines()]
    return [(f"{row['family']}/{row['name']}", folder / row["file"]) for row in rows if row["split"] == split]


def entries_of_fields(folder, split="train"):
    """Fields of a folder with manifest.json, without those that have a licence_note (they stay out of shipped weights)."""
    folder = pathlib.Path(folder)
    rows = json.loads((folder / "manifest.json").read_text())
    return [(row["name"], folder / row["file"]) for row in rows
            if row["split"] == split and not row.get("licence_note") and not row.get("nan_fraction")]


class Part(NamedTuple):
    """Some frames of an array file."""
    path: str
    start: int
    stop: int


def entries_of_arrays(paths, share, later=False):
    """The first `share` of the frames of each array, or with `later` the rest: to train on a run and test on its end."""
    out = []
    for path in paths:
        frames = as_sequence(np.load(path, mmap_mode="r")).shape[0]
        cut = max(1, int(frames * share))
        out.append((pathlib.Path(path).stem, Part(str(path), cut, frames) if later else Part(str(path), 0, cut)))
    return out


def open_field(path):
    """Memory-mapped (T, H, W) float32 view of a file or a Part."""
    if isinstance(path, Part):
        return as_sequence(np.load(path.path, mmap_mode="r"))[path.start:path.stop]
    return as_sequence(np.load(path, mmap_mode="r"))


def as_sequence(array):
    """Any array of rank 2 to 5 as float32 (T, H, W): leading axes become frames."""
    array = np.asarray(array, np.float32)
    return array[None] if array.ndim == 2 else array.reshape((-1,) + array.shape[-2:])


class Crops:
    """Random crops (B, 1, T, H, W), scaled by mean and standard deviation of the field they come from.

    Families are drawn evenly, fields evenly inside a family. Augmentation: flips of the three axes, exchange of y and x,
    sign, every second or third frame, a factor on the spread. Nothing is read twice: arrays are memory-mapped.
    """

    def __init__(self, entries, seed):
        self.groups, self.rng = {}, np.random.default_rng(seed)
        self.scales = {}
        for name, path in entries:
            self.groups.setdefault(name, []).append(path)
        if not self.groups:
            raise ValueError("no fields to train on")
        self.names = sorted(self.groups)
        self.sizes = {open_field(path).shape[1:] for _, path in entries}

    def fit(self, height, width):
        """The extents, or smaller ones where no field is as large (multiples of 16)."""
        fitting = [(min(height, h // 16 * 16), min(width, w // 16 * 16)) for h, w in self.sizes]
        height, width = max(fitting, key=lambda size: size[0] * size[1])
        if not height * width:
            raise ValueError("no field has 16 x 16 samples a frame")
        return height, width

    def field(self, path):
        field = open_field(path)
        if path not in self.scales:
            some = field[:: max(1, field.shape[0] // 8)]
            self.scales[path] = float(some.mean()), float(some.std()) + 1e-30
        return field, self.scales[path]

    def one(self, frames, height, width):
        rng = self.rng
        while True:
            paths = self.groups[self.names[rng.integers(len(self.names))]]
            field, (mean, spread) = self.field(paths[rng.integers(len(paths))])
            if field.shape[1] >= height and field.shape[2] >= width:
                break
        stride = 1
        if field.shape[0] > frames:
            stride = int(rng.choice([s for s in (1, 1, 2, 3) if s * (frames - 1) < field.shape[0]]))
        span = stride * (frames - 1) + 1
        t = int(rng.integers(max(1, field.shape[0] - span + 1)))
        y, x = (int(rng.integers(n - size + 1)) for n, size in zip(field.shape[1:], (height, width)))
        crop = np.asarray(field[t:t + span:stride, y:y + height, x:x + width])
        if crop.shape[0] < frames:                       # short or single-frame fields: hold the last frame
            crop = np.concatenate([crop, np.repeat(crop[-1:], frames - crop.shape[0], 0)])
        for axis in range(3):
            if rng.random() < 0.5:
                crop = np.flip(crop, axis)
        if height == width and rng.random() < 0.5:
            crop = crop.transpose(0, 2, 1)
        factor = rng.choice([-1.0, 1.0]) * np.exp(rng.normal(0, 0.15)) / spread
        return ((crop - mean) * factor).astype(np.float32)

    def batch(self, count, frames, height, width=None):
        """Where height and width differ, half of the batches have them exchanged."""
        height, width = self.fit(height, width or height)
        crops = np.stack([self.one(frames, height, width) for _ in range(count)])[:, None]
        return np.ascontiguousarray(crops.swapaxes(3, 4)) if height != width and self.rng.random() < 0.5 else crops


def held_out(entries, frames, size, per_name=1):
    """Fixed central crops, one per kind of field, scaled like training data: list of (name, (T, H, W) float32)."""
    out, seen = [], {}
    for name, path in entries:
        field = np.asarray(open_field(path))
        if field.shape[0] < frames or seen.get(name, 0) >= per_name:
            continue
        h, w = (min(size, n // 16 * 16) for n in field.shape[1:])
        t, y, x = (field.shape[0] - frames) // 2, (field.shape[1] - h) // 2, (field.shape[2] - w) // 2
        seen[name] = seen.get(name, 0) + 1
        crop = field[t:t + frames, y:y + h, x:x + w]
        out.append((name, ((crop - field.mean()) / (field.std() + 1e-30)).astype(np.float32)))
    return out
