# SPDX-License-Identifier: Apache-2.0
"""Bases of kind 1 (format.md 5.7, 5.8). The integer networks are those of weights/train, which define them (numpy only)."""
import math
import pathlib
import sys

import numpy as np

from .bits import Corrupt, Skip, require

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "weights" / "train"))
from fmc_train import fmcw, integer  # noqa: E402
from fmc_train.prior import COUNTERS, ask  # noqa: E402, F401 (for coefficients)

FILES = sorted((HERE.parent / "unit" / "data").glob("*.fmcw")) + sorted((HERE.parent.parent / "weights").glob("*.fmcw"))
LOW = 1 << 31
_models = {}


def model_of(wanted):
    """The test model or shipped one of that hash, with its tables."""
    for path in FILES:
        if wanted not in _models:
            data = path.read_bytes()
            if int.from_bytes(data[16:24], "little") == wanted:
                _models[wanted] = fmcw.read(data)
    if wanted not in _models:
        raise Skip(f"no model {wanted:016x}")
    return _models[wanted]


def enclose(name, base, size, difference):
    """A model inside a stream (3.1), from the 24th byte on a difference from that of hash base (0: none)."""
    d = np.concatenate([np.zeros(24, np.uint8), np.frombuffer(difference, np.uint8)])
    file, arrays = np.zeros(size, np.uint8), {}
    if base:
        data = file_of(base)
        file[:len(data)] = np.frombuffer(data, np.uint8)[:size]
        arrays = fmcw.places(data)
    new = file + d
    for at, count, width in arrays:
        if at + count * width > size:
            continue
        part = slice(at, at + count * width)
        u = sum(d[part].reshape(width, count)[j].astype(np.uint64) << np.uint64(8 * j) for j in range(width))
        e = np.where(u % 2, -(u.astype(np.int64) + 1) // 2, u.astype(np.int64) // 2)
        number = file[part].view(f"<u{width}").astype(np.int64) + e
        new[part] = number.astype(f"<u{width}").view(np.uint8)
    head = b"FMCW" + (1).to_bytes(4, "little") + size.to_bytes(8, "little") + name.to_bytes(8, "little")
    try:
        _models[name] = fmcw.read(head + new[24:].tobytes())
    except ValueError as e:
        raise Corrupt(str(e)) from None


def file_of(wanted):
    for path in FILES:
        data = path.read_bytes()
        if int.from_bytes(data[16:24], "little") == wanted:
            return data
    raise Skip(f"no model {wanted:016x}")


def tables_of(model):
    """For each scale: count and the first slot of each symbol -count+1 .. count-1, escape, end."""
    counts, frequency = model.arrays["gauss/count"].astype(int), model.arrays["gauss/frequency"].astype(int)
    out, at = [], 0
    for count, escape in zip(counts, model.arrays["gauss/escape"].astype(int)):
        f = frequency[at:at + count]
        out.append((count, np.concatenate([[0], np.cumsum(np.concatenate([f[:0:-1], f, [escape]]))])))
        at += count
    return out


class Raw:
    """Bits from the low end of each byte; zeros behind the last one."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def bit(self):
        byte, self.at = self.at // 8, self.at + 1
        return self.data[byte] >> (self.at - 1) % 8 & 1 if byte < len(self.data) else 0

    def excess(self):
        n = 0
        while not self.bit():
            n += 1
            require(n <= 20, "escape of a latent")
        return (1 << n | sum(self.bit() << i for i in range(n))) - 1

    def end(self):
        require((self.at + 7) // 8 == len(self.data) and (self.at % 8 == 0 or self.data[-1] >> self.at % 8 == 0), "raw bits")


def symbols(r, tables, index):
    """Latents whose tables are index (any shape)."""
    n_raw, n_words = r.varint(), r.varint()
    raw = Raw(r.bytes(n_raw))
    words = list(np.frombuffer(r.bytes(4 * n_words), "<u4").astype(object))
    require(n_words >= 4, "words of latents")
    state = [words[0] | words[1] << 32, words[2] | words[3] << 32]
    require(all(LOW <= s < 1 << 63 for s in state), "state of latents")
    at, out = 4, np.empty(index.size, np.int64)
    for i, k in enumerate(index.ravel()):
        count, cum = tables[k]
        x, slot = state[i % 2], state[i % 2] & 0xffff
        s = int(np.searchsorted(cum, slot, "right")) - 1
        x = int(cum[s + 1] - cum[s]) * (x >> 16) + slot - int(cum[s])
        if x < LOW:
            require(at < len(words), "words of latents")
            x, at = x << 32 | words[at], at + 1
        state[i % 2] = x
        out[i] = s - count + 1
        if s == 2 * count - 1:
            excess = raw.excess()
            out[i] = -(count + excess // 2) if excess & 1 else count + excess // 2
    require(state == [LOW, LOW] and at == len(words), "end of latents")
    raw.end()
    return out.reshape(index.shape)


def integers(r, dim):
    """b for extents dim, after kind and exponent."""
    wanted = int.from_bytes(r.bytes(8), "little")
    level, multiplier, offset = r.u8(), int.from_bytes(r.bytes(2), "little"), r.svarint()
    require(multiplier >= 1 << 15 and abs(offset) <= 1 << 27, "scale of a model")
    model = model_of(wanted)
    numbers = model.numbers
    require(level < numbers["levels"], "level")
    t, h, w = [1] * (3 - len(dim)) + list(dim) if len(dim) < 3 else [math.prod(dim[:-2])] + list(dim[-2:])
    latent = [-(-n // numbers[f"patch_{a}"]) for n, a in zip((t, h, w), "tyx")]
    hyper = [latent[0], -(-latent[1] // numbers["hyper_y"]), -(-latent[2] // numbers["hyper_x"])]
    tables = tables_of(model)
    index = np.broadcast_to(model.arrays["hyper/scale"][level][:, None, None, None], [numbers["hyper"]] + hyper)
    qz = symbols(r, tables, index)
    frac = numbers["latent_frac"]
    z = (qz << frac) + model.arrays["hyper/mean"][level].astype(np.int64)[:, None, None, None]
    try:
        mean, scale = integer.run(model, "hyper", z, level)
        qy = symbols(r, tables, scale[:, :, :latent[1], :latent[2]])
        y = (qy << frac) + mean[:, :, :latent[1], :latent[2]]
        v = integer.run(model, "synthesis", y, level)[0][0, :t, :h, :w]
    except ValueError as e:
        raise Corrupt(str(e)) from None
    require(r.left() == 0, "bytes after latents")
    return (((v * multiplier + (1 << 14)) >> 15) + offset).reshape(dim)
