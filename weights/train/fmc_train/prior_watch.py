# SPDX-License-Identifier: Apache-2.0
"""What a prior learns from: crops of fields, compressed by the library itself (tool/prior_watch), and their pooled statistics."""
import concurrent.futures
import json
import os
import pathlib
import shutil
import subprocess

import numpy as np

from . import prior

BOUNDS = [(4, 1e-2), (4, 1e-2), (4, 3e-3), (4, 3e-3), (4, 1e-3), (4, 1e-3), (4, 3e-4), (2, 1e-2), (2, 1e-3),
          (2, 1e-4)]  # NRMSE; of the range
EFFORTS = 5, 9    # plain quantisers; trellises
SIZES = (8, 16, 32), (48, 64, 96, 128)
STATE = np.dtype([("counter", "<u4", prior.N_COUNTERS), ("mix", "<i4", (prior.SETS, prior.INPUTS + 1))])
STRONGEST, SEEN_MIX = 40.0, 1000  # how many bits a start is worth at most


def simulations(folder, split="train"):
    """Files of a folder of `python -m fmc_train data`."""
    folder = pathlib.Path(folder)
    lines = (folder / "index.jsonl").read_text().splitlines()
    return [folder / e["file"] for e in map(json.loads, lines) if e["split"] == split]


def free_fields(folder, held_out=()):
    """Float fields of a folder with a manifest, without a licence note and not held out."""
    folder = pathlib.Path(folder)
    text = json.loads((folder.parent / "manifest.json").read_text())
    entries = text if isinstance(text, list) else next(v for v in text.values() if isinstance(v, list))
    noted = {pathlib.Path(str(e.get("file", e.get("name")))).stem for e in entries if e.get("licence_note")}
    return [p for p in sorted(folder.glob("*.npy")) if p.stem not in noted and not any(h in p.stem for h in held_out)]


def crop(field, random):
    """A box of a field: all of it every other time."""
    if random.random() < 0.5 or field.ndim < 2:
        return field
    sizes = [random.choice(SIZES[0] if i < field.ndim - 2 else SIZES[1]) for i in range(field.ndim)]
    cut = [slice(a, a + s) for s, a in ((min(s, n), random.integers(max(n - s, 0) + 1)) for s, n in zip(sizes, field.shape))]
    return field[tuple(cut)]


def make_jobs(files, folder, seed=1, times=1, bounds=None, log=print):
    """Raw crops and jobs.txt in a folder, once: what is there stays."""
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / "jobs.txt"
    if listing.exists():
        return listing
    random = np.random.default_rng(seed)
    lines = []
    for k in range(times):
        for i, path in enumerate(files):
            field = np.load(path)
            if field.dtype.kind != "f" or not 1 <= field.ndim <= 5:
                continue
            field = np.ascontiguousarray(crop(field, random))
            kind, bound = (bounds or BOUNDS)[random.integers(len(bounds or BOUNDS))]
            if not np.isfinite(field).all() or field.size < 64 or field.min() == field.max():
                continue
            raw = folder / f"{k}_{i:05d}.raw"
            field.astype(field.dtype.newbyteorder("<")).tofile(raw)
            shape = " ".join(map(str, field.shape))
            lines += [f"{raw} f{8 * field.dtype.itemsize} {field.ndim} {shape} {kind} {bound} {e}" for e in EFFORTS]
    lines.sort(key=lambda line: line.split()[-1])  # by effort: every n-th line is of both
    listing.write_text("\n".join(lines) + "\n")
    log(f"{len(lines)} jobs in {folder}")
    return listing


def watch(tool, weights, jobs, states="-", samples="-", count=7000):
    """Run the tool, one process a core, each with every n-th job: (bytes, values, sampled) of each, those of the first process first."""
    lines = pathlib.Path(jobs).read_text().splitlines(keepends=True)
    n = max(1, min(os.cpu_count() or 1, len(lines)))
    parts = [lines[i::n] for i in range(n)]  # effort 9 takes ten times as long, and stands together
    names = [[str(f) if str(f) == "-" else f"{f}.{i}" for f in (states, samples)] for i in range(n)]
    running = [subprocess.Popen([str(tool), str(weights), *files, str(count)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
               for files in names]
    with concurrent.futures.ThreadPoolExecutor(n) as pool:
        out = list(pool.map(lambda p, part: p.communicate("".join(part))[0], running, parts))
    if any(p.returncode for p in running):
        raise RuntimeError(f"{tool} failed on {jobs}")
    for k, target in enumerate((states, samples)):
        if str(target) != "-":
            with open(target, "wb") as f:
                for files in names:
                    with open(files[k], "rb") as part:
                        shutil.copyfileobj(part, f)
                    os.unlink(files[k])
    return [tuple(map(int, line.split())) for text in out for line in text.splitlines()]


def split(counters):
    """Start values and counts by name."""
    start, seen, at = {}, {}, 0
    for name, n in prior.COUNTERS.items():
        start[name], seen[name] = (counters[at:at + n] >> 16).astype(np.uint16), (counters[at:at + n] & 1023).astype(np.uint8)
        at += n
    return start, seen


def join(start, seen):
    return np.concatenate([start[n].astype(np.uint32) << 16 | seen[n] for n in prior.COUNTERS])


def pool(states, base_start, base_seen, base_mix, base_mix_seen, strongest=STRONGEST):
    """
    Where models of new streams should begin, from the models at the end of others. A counter's start is the mean over streams,
    each with the bits that it has seen, at most 60; it counts as many bits as a beta distribution of the same spread
    between streams would. What no stream has used stays as it was.
    """
    states = np.memmap(states, STATE, "r")
    base = join(base_start, base_seen)
    counters = np.concatenate([pool_counters(states["counter"][:, at:at + 8192], base[at:at + 8192], strongest)
                               for at in range(0, prior.N_COUNTERS, 8192)])
    start, seen = split(counters)
    bits = np.minimum(states["mix"][:, :, prior.INPUTS].astype(np.float64), 2000)
    weighted = np.stack([(bits * states["mix"][:, :, i]).sum(0) for i in range(prior.INPUTS)], 1)
    know, total = 2000.0, bits.sum(0)
    mix = (weighted + know * base_mix) / (total + know)[:, None]
    mix_seen = np.maximum(np.minimum(total / 20, SEEN_MIX), base_mix_seen)
    return start, seen, np.clip(np.round(mix), -2 ** 20, 2 ** 20).astype(np.int32), np.minimum(mix_seen, 65535).astype(np.uint16)


def pool_counters(raw, base, strongest):
    """raw: [stream][counter]; base: where they began. Start << 16 | seen."""
    p, n = (raw >> 10).astype(np.float64) / 2 ** 22, np.minimum((raw & 1023).astype(np.float64), 60)
    total = n.sum(0)
    safe = np.maximum(total, 1e-9)
    mean = np.clip((n * p).sum(0) / safe, 2e-4, 1 - 2e-4)
    spread = (n * (p - mean) ** 2).sum(0) / safe
    noise = mean * (1 - mean) * (n / np.maximum(0.6 * n, 1)).sum(0) / safe
    strength = np.clip(mean * (1 - mean) / np.maximum(spread - noise, 1e-7) - 1, 1, strongest)
    strength = np.minimum(np.round(np.minimum(strength, total / 2)), 127)
    counters = np.round(mean * 65535).astype(np.uint32) << 16 | strength.astype(np.uint32)
    return np.where((total > 0) & (strength >= 1), counters, base)
