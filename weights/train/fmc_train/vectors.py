# SPDX-License-Identifier: Apache-2.0
"""Test vectors: small latents in, integers out, for decoders in other languages. Layout in docs/weights-format.md."""
import struct

import numpy as np

from . import integer
from .xxh64 import xxh64

MAGIC = b"FMCV"
SHAPES = [(1, 1, 1), (2, 1, 3), (2, 5, 4), (4, 2, 2), (1, 6, 7)]        # t, h, w of the latents


def symbols(model, rng, shape, kind):
    """z and y symbols: small, typical or far out of range (a decoder must clamp as the definition does)."""
    t, h, w = shape
    spread = {0: 0.6, 1: 3.0, 2: 2000.0}[kind]
    z = np.round(rng.laplace(0, spread, (model.numbers["hyper"], t, -(-h // 4), -(-w // 4))))
    y = np.round(rng.laplace(0, spread, (model.numbers["latent"], t, h, w)))
    limit = 100000
    return np.clip(z, -limit, limit).astype(np.int32), np.clip(y, -limit, limit).astype(np.int32)


def make(model, raw, seed=1):
    """Bytes of a file of vectors for the model whose file is `raw`."""
    rng = np.random.default_rng(seed)
    cases = []
    for number, shape in enumerate(SHAPES):
        level = int(rng.integers(model.numbers["levels"]))
        z, y = symbols(model, rng, shape, number % 3)
        mu, scale, x = integer.decode(model, z, y, level)
        body = struct.pack("<4I", level, *shape)
        for array in (z, y, mu, scale, x):
            body += np.ascontiguousarray(array).astype("<i4").tobytes()
        cases.append(body)
    head = MAGIC + struct.pack("<IQ", len(cases), struct.unpack_from("<Q", raw, 16)[0])
    out = head + b"".join(cases)
    return out + struct.pack("<Q", xxh64(out))
