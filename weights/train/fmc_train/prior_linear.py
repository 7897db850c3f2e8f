# SPDX-License-Identifier: Apache-2.0
"""
A tuned prior that differs from its base in so few numbers that a stream can hold it (`fmc compress --embed`, format.md 3.1):
the last, linear layer, and of the start only what is worth its bytes. The fields are cut as the stream will be.
"""
import itertools
import lzma
import pathlib

import numpy as np
import torch

from . import fmcw, prior, prior_net, prior_watch

STEP = 256                                   # of counters and mixing weights: differences are multiples, one byte each
STRENGTHS = (1, 2, 4, 8, 16, 32, 64, 127)    # bits that a start may be worth
COUNTER_BITS = (100, 400, 1600)               # what a counter must save, three trials
MIX_SETS = (8, 32, 128)                      # how many sets of mixing weights, three trials


def spread_of(field):
    valid = field[np.isfinite(field)]
    return float(valid.max()) - float(valid.min()) if valid.size else 0


def cut(fields, chunk, folder, bounds, most, random):
    """Jobs of the chunks of fields: (listing, fmc's chunks for each that is in it). A bound is of the field's range."""
    lines, total = [], 0
    for i, field in enumerate(fields):
        extents = [c or n for c, n in itertools.zip_longest(chunk[:field.ndim], field.shape, fillvalue=0)]
        starts = list(itertools.product(*(range(0, n, c) for n, c in zip(field.shape, extents))))
        total += len(starts) * len(bounds)
        share = max(1, most // len(fields) // len(bounds))
        whole = spread_of(field)
        for k in random.permutation(len(starts))[:share]:
            part = field[tuple(slice(s, s + c) for s, c in zip(starts[k], extents))]
            spread = spread_of(part)
            if not 0 < spread < np.inf:
                continue
            raw = folder / f"{i}_{k}.raw"
            np.ascontiguousarray(part).astype(part.dtype.newbyteorder("<")).tofile(raw)
            shape = " ".join(map(str, part.shape))
            lines += [f"{raw} f{8 * part.dtype.itemsize} {part.ndim} {shape} 4 {min(b * whole / spread, 1)} {e}" for b in bounds for e in prior_watch.EFFORTS]
    listing = folder / "jobs.txt"
    listing.write_text("\n".join(lines) + "\n")
    return listing, total / max(len(lines), 1)


def difference_size(base, tuned):
    """About the bytes of format.md 3.1 (there zstd, here lzma)."""
    a, b = base, tuned + bytes(max(len(base) - len(tuned), 0))
    d = (np.frombuffer(b, np.uint8)[:len(tuned)] - np.frombuffer(a + bytes(len(b)), np.uint8)[:len(tuned)])
    for at, n, width in fmcw.places(base):
        if at + n * width <= len(tuned):
            old, new = (np.frombuffer(v, f"<i{width}", n, at).astype(np.int64) for v in (a, tuned))
            e = (new - old + (1 << 8 * width - 1)) % (1 << 8 * width) - (1 << 8 * width - 1)
            u = np.where(e < 0, -2 * e - 1, 2 * e).astype(f"<u{width}").view(np.uint8)
            d[at:at + n * width] = u.reshape(n, width).T.ravel()
    return 24 + len(lzma.compress(d[24:].tobytes(), lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA2, "preset": 9}]))


def hidden(layers, x):
    """Integer values of the second hidden layer, and places and symbols."""
    h, place = x[:, :prior.FEATURES].astype(np.int64), x[:, prior.FEATURES]
    for i, (w, b, s) in enumerate(layers[:2]):
        h = h @ w.T + (b[place] if i == 0 else b)
        h = np.clip((h + ((1 << s) >> 1)) >> s, 0, prior.LARGEST)
    return h, x[:, prior.FEATURES + 1].astype(np.int64)


def tune_layer(layer, h, symbol, weight, steps=200, cost=3.0):
    """The last layer for these values: weights and biases in whole steps, each paid for with `cost` bits a step."""
    w0, b0, s = (torch.tensor(np.asarray(v), dtype=torch.float32) for v in layer)
    unit = 2 ** s
    h, symbol, weight = torch.tensor(h, dtype=torch.float32), torch.tensor(symbol), torch.tensor(weight, dtype=torch.float32)
    dw, db = torch.zeros_like(w0, requires_grad=True), torch.zeros_like(b0, requires_grad=True)  # in steps; of 16 logits
    optimiser = torch.optim.Adam([dw, db], lr=0.2)
    whole = prior_net.Round.apply

    def values():
        steps_w = whole(dw / prior_net.UNIT) * prior_net.UNIT
        return (w0 + steps_w).clamp(-127, 127), b0 + whole(db / prior_net.UNIT) * prior_net.UNIT * 16 * unit

    for _ in range(steps):
        pick = torch.randint(len(h), (min(len(h), 8192),))
        w, b = values()
        logit = ((h[pick] @ w.T + b) / unit / 256).clamp(-8, 8)
        loss = (prior_net.bits(logit, symbol[pick]) * weight[pick]).sum() * (len(h) / len(pick))
        loss = loss + cost * (dw.abs().sum() + db.abs().sum())
        optimiser.zero_grad()
        (loss / len(h)).backward()
        optimiser.step()
    with torch.no_grad():
        w, b = values()
    return w.numpy().astype(int), b.numpy().astype(int), layer[2]


def _beta(ones, zeros, p, strength):
    """Bits of counts under a counter that starts at p, worth so many bits."""
    a, b = p * strength, (1 - p) * strength
    log = torch.lgamma
    v = log(a) + log(b) - log(a + b) + log(a + b + ones + zeros) - log(a + ones) - log(b + zeros)
    return v / np.log(2)


def tune_counters(states, base):
    """Counters (start << 16 | seen) for streams that end in these states, and the bits that each saves in all of them."""
    start, seen = torch.tensor(base >> 16, dtype=torch.float64) / 65536, torch.tensor(base & 127, dtype=torch.float64)
    raw = states["counter"].astype(np.int64)
    used = np.flatnonzero(((raw & 1023) > (base & 127)).any(0) & ((base & 127) > 0))
    start, seen = start[used].clamp(1e-4, 1 - 1e-4), seen[used]
    n = torch.tensor(raw[:, used] & 1023, dtype=torch.float64)
    p = torch.tensor(raw[:, used] >> 10, dtype=torch.float64) / 2 ** 22
    more = (n - seen).clamp(min=0)
    ones = torch.minimum((p * (n + 0.6) - start * (seen + 0.6)).clamp(min=0), more)
    zeros = more - ones
    mean = ((ones.sum(0) + start) / (more.sum(0) + 1)).clamp(2e-4, 1 - 2e-4)
    mean = start + torch.round((mean - start) * 65536 / STEP) * STEP / 65536
    mean = torch.where((mean > 0) & (mean < 1), mean, start)
    best = _beta(ones, zeros, start, seen + 0.6).sum(0)
    was, value = best.clone(), torch.tensor(base[used].astype(np.int64))
    for strength, q in itertools.product(STRENGTHS, (mean, start)):
        bits = _beta(ones, zeros, q, torch.tensor(strength + 0.6)).sum(0)
        better = bits < best - 8 * (q is mean)
        value = torch.where(better, torch.round(q * 65536).long().clamp(0, 65535) << 16 | strength, value)
        best = torch.minimum(bits, best)
    out, saved = base.copy(), np.zeros(len(base))
    out[used], saved[used] = value.numpy().astype(np.uint32), (was - best).numpy()
    return out, saved


def tune_mix(states, base):
    """Sets of mixing weights, and the bits that each has seen."""
    bits = np.minimum(states["mix"][:, :, prior.INPUTS].astype(np.float64), 2000)
    total = bits.sum(0)
    mean = (bits[:, :, None] * states["mix"][:, :, :prior.INPUTS]).sum(0) / np.maximum(total, 1)[:, None]
    return base + (np.round((mean - base) / STEP) * STEP).astype(int), total


class Trials:
    """Keeps of several changes the one that makes stream and difference smallest."""

    def __init__(self, base, tool, jobs, folder, scale, log):
        self.base, self.tool, self.jobs, self.folder, self.scale, self.log = base, tool, jobs, folder, scale, log
        self.model, self.size = fmcw.read(base), self.bytes_of(base)
        log(f"base: {self.size:.0f} bytes")

    def bytes_of(self, file):
        path = self.folder / "trial.fmcw"
        path.write_bytes(file)
        sizes = prior_watch.watch(self.tool, path, self.jobs)
        return self.scale * sum(s[0] for s in sizes) + (difference_size(self.base, file) if file != self.base else 0)

    def take(self, what, arrays):
        model = fmcw.Model("prior", self.model.numbers, {}, {**self.model.arrays, **arrays}, {"base": self.base[16:24][::-1].hex()})
        file = fmcw.write(model)
        size = self.bytes_of(file)
        self.log(f"{what}: {size:.0f} bytes, {difference_size(self.base, file)} of them the model")
        if size < self.size:
            self.model, self.size = model, size

    def states(self):
        path = self.folder / "now.fmcw"
        path.write_bytes(fmcw.write(self.model))
        prior_watch.watch(self.tool, path, self.jobs, self.folder / "states.bin")
        return np.fromfile(self.folder / "states.bin", prior_watch.STATE)


def tune(options, folder, layers_of, base_of, log):
    """The model (fmcw.Model) for options of finetune_prior."""
    base = pathlib.Path(options.base).read_bytes()
    fields = [np.load(path) for path in options.data]
    random = np.random.default_rng(options.seed)
    torch.manual_seed(options.seed)
    jobs, scale = cut(fields, options.chunk, folder, options.nrmse or [1e-2, 1e-3], options.crops, random)
    trials = Trials(base, options.tool, jobs, folder, scale, log)
    listing = prior_watch.watch(options.tool, options.base, jobs, "-", folder / "samples.bin", 20000)
    x = np.fromfile(folder / "samples.bin", "<i2").reshape(-1, prior.FEATURES + 2)
    weight = scale * np.concatenate([np.full(n, total / n) for _, total, n in listing if n])
    layers = layers_of(trials.model)
    for cost in (3.0, 12.0, 40.0):
        w, b, s = tune_layer(layers[2], *hidden(layers, x), weight, cost=cost)
        trials.take(f"last layer, {cost} bits a step", {"layer2/weight": w.astype("i1"), "layer2/bias": b.astype("<i4")})
    states = trials.states()
    start, seen, mix, _ = base_of(trials.model)
    new, total = tune_mix(states, mix)
    for n in MIX_SETS:
        chosen = np.argsort(-total)[:n]
        changed = mix.copy()
        changed[chosen] = new[chosen]
        trials.take(f"{n} sets of mixing weights", {"mix/weight": changed.astype("<i4")})
    counters = prior_watch.join(start, seen)
    new, saved = tune_counters(states, counters)
    for least in COUNTER_BITS:
        part = prior_watch.split(np.where(scale * saved > least, new, counters))
        arrays = {f"start/{n}": part[0][n].astype("<u2") for n in prior.COUNTERS}
        arrays.update({f"seen/{n}": part[1][n].astype("u1") for n in prior.COUNTERS})
        trials.take(f"{(scale * saved > least).sum()} counters", arrays)
    return trials.model
