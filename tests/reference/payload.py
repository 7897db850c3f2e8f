# SPDX-License-Identifier: Apache-2.0
"""Chunk payload, docs/format.md 5."""
import itertools
import math

import numpy as np

from . import coefficients, exact, interpolation, learned, transform
from .bits import Decoder, Reader, Unsupported, blob, prob, require, xxh3_low32

TRANSFORM, INTERPOLATION, GRID, EXACT = 1, 2, 3, 4
BASE = 4  # with the first two: above a base
PATCHES = 7
F64, MASK, LOG, CORRECT, EXACT_SAMPLES = 8, 16, 32, 64, 128
POLYNOMIAL = [float.fromhex(v) for v in (
    "0x1p+0", "0x1.62e42fefa39efp-1", "0x1.ebfbdff82c58fp-3", "0x1.c6b08d704a0c0p-5", "0x1.3b2ab6fba4e77p-7",
    "0x1.5d87fe78a6731p-10", "0x1.430912f86c787p-13", "0x1.ffcbfc588b0c7p-17", "0x1.62c0223a5c824p-20",
    "0x1.b5253d395e7c4p-24", "0x1.e4cf5158b8ecap-28", "0x1.e8cac7351bb25p-32", "0x1.c3bd650fc2986p-36",
    "0x1.816193166d0f9p-40")]


def bits_type(real):
    return np.uint32 if real is np.float32 else np.uint64


class Bitmap:
    """5.2.2: gives class k to samples of cls, an array without axes of extent 1."""

    def __init__(self, r, cls, k):
        self.k = k
        v = r.varint()
        if v == 0:
            return
        if v == 1:
            cls[cls == 0] = k
            return
        self.d = Decoder(r.bytes(v - 2))
        self.same, self.last_same = [[prob(0.5)] * 2 for _ in range(3)], [0] * 3
        self.refer = [prob(0.5)] * 3
        self.typical, self.last_typical = [[prob(0.5)] * 2 for _ in range(2)], [0] * 2
        self.intra, self.inter = [prob(0.5)] * 1024, [prob(0.5)] * 2048
        lead = cls.shape[:-2]
        for index in np.ndindex(*lead):
            self.plane(cls, index)
        self.d.check()

    def take(self, plane, counterparts):
        plane[(plane == 0) & (counterparts != 0)] = self.k

    def plane(self, cls, index):
        plane, before = cls[index], []
        for a in range(len(index)):
            if index[a]:
                before.append((a, cls[index[:a] + (index[a] - 1,) + index[a + 1:]]))
        for a, p in before:
            s = self.last_same[a]
            self.last_same[a] = self.d.adaptive(self.same[a], s, 255)
            if self.last_same[a]:
                self.take(plane, p)
                return
        reference = None
        for a, p in before:
            if self.d.adaptive(self.refer, a, 255):
                reference = p
                break
        i = int(reference is not None)
        for y in range(plane.shape[0]):
            self.last_typical[i] = self.d.adaptive(self.typical[i], self.last_typical[i], 255)
            if self.last_typical[i]:
                predicted = reference[y] if i else plane[y - 1] if y else None
                if predicted is not None:
                    self.take(plane[y], predicted)
            else:
                self.row(plane, y, reference)

    def row(self, plane, y, reference):
        h, w = plane.shape

        def get(p, dy, dx):
            return int(0 <= y + dy < h and 0 <= x + dx < w and p[y + dy, x + dx] != 0)

        own = [(0, -1), (0, -2), (-1, 2), (-1, 1), (-1, 0), (-1, -1), (-1, -2), (-2, 1), (-2, 0), (-2, -1)]
        near = [(0, -1), (0, -2), (-1, 1), (-1, 0), (-1, -1), (-2, 0)]
        far = [(0, 1), (0, 0), (0, -1), (-1, 0), (1, 0)]
        for x in range(w):
            if plane[y, x]:
                continue
            if reference is None:
                c = sum(get(plane, *d) << i for i, d in enumerate(own))
                bit = self.d.adaptive(self.intra, c, 255)
            else:
                c = sum(get(plane, *d) << i for i, d in enumerate(near))
                c += sum(get(reference, *d) << (i + 6) for i, d in enumerate(far))
                bit = self.d.adaptive(self.inter, c, 255)
            if bit:
                plane[y, x] = self.k


def bitmap_shape(dim):
    dim = [n for n in dim if n > 1]
    return [1] * (2 - len(dim)) + dim if len(dim) < 2 else dim


class Mask:
    """5.2"""

    def __init__(self, r, dim, real):
        n, self.type = math.prod(dim), bits_type(real)
        self.cls, size = np.zeros(bitmap_shape(dim), np.uint8), self.type().itemsize
        self.bits = np.zeros(n, self.type)
        if r is None:
            return
        head = r.u8()
        layers = head & 127
        require(layers <= 8, "layers")
        for k in range(1, layers + 1):
            pattern = int.from_bytes(r.bytes(size), "little")
            Bitmap(r, self.cls, k)
            self.bits[self.cls.ravel() == k] = pattern
        if head >> 7:
            Bitmap(r, self.cls, layers + 1)
            where = self.cls.ravel() == layers + 1
            c = int(where.sum())
            planes = np.frombuffer(blob(r, c * size), np.uint8).reshape(size, c)
            self.bits[where] = np.ascontiguousarray(planes.T).view(self.type.__name__).ravel()
        r.end()

    def thin(self, axes, scale):
        self.cls, self.bits = (thin(v.reshape(axes), scale).ravel() for v in (self.cls, self.bits))

    def apply(self, x):
        where = self.cls.ravel() != 0
        x.view(self.type).ravel()[where] = self.bits[where]


def exponential(v):
    """5.4: E"""
    v = float(v)
    if not v >= -1100:
        return 0.0
    if v >= 1024:
        return float(np.finfo(np.float64).max)
    n = int(v + 1100.5) - 1100
    f = v - n
    s = POLYNOMIAL[13]
    for c in POLYNOMIAL[12::-1]:
        s = s * f + c
    m = (n + 1100) // 2 - 550
    return (s * 2.0 ** m) * 2.0 ** (n - m)


def exact_samples(r, x):
    """5.3"""
    count = r.varint()
    if count == 0:
        r.end()
        return
    require(count <= x.size, "count")
    u = x.view(bits_type(x.dtype.type)).ravel()
    size = u.itemsize
    list_size = r.varint()
    require(2 * count <= list_size <= 19 * count + 18, "list size")
    items = Reader(blob(r, list_size))
    gaps = [items.varint() for _ in range(count)]
    lengths = [items.u8() for _ in range(count)]
    top, all_bits, at = 1 << (8 * size - 1), (1 << 8 * size) - 1, -1
    for gap, length in zip(gaps, lengths):
        at += gap + 1
        require(at < x.size and length <= size, "exact sample")
        d = int.from_bytes(items.bytes(length), "little")
        b = 0 if np.isnan(x.ravel()[at]) else int(u[at])
        rising = all_bits ^ b if b & top else b + top
        e = -((d + 1) // 2) if d & 1 else d // 2
        v = (rising + e) & all_bits
        u[at] = v - top if v & top else all_bits ^ v
    items.end()
    r.end()


def read_step(r):
    step = float(np.uint64(r.u32() << 32).view(np.float64))
    require(2.0 ** -1022 <= step < math.inf, "step")
    return step


def read_tier(r):
    tier = r.u8()
    if tier > coefficients.STATIC:
        raise Unsupported("tier")
    return tier


def read_tier_or_prior(r, trellis_too=False):
    """Tier and prior of a body; a tier with coefficients.TRELLIS in it where that is allowed."""
    tier = r.u8()
    if tier > coefficients.PRIOR and not (trellis_too and tier in coefficients.WITH_TRELLIS):
        raise Unsupported("tier")
    return tier, learned.model_of(r.number("Q")) if tier & 7 == coefficients.PRIOR else None


def transform_body(r, dim, real, scale=0):
    """5.1; with a scale, 5.6: None if the plan does not allow it."""
    (tier, prior), plan = read_tier_or_prior(r, True), transform.Plan(r, dim)
    step = read_step(r)
    centres = [[r.number("b") for _ in range(3)] for _ in range(3)]
    bands, gain = plan.bands(), 1.0
    if scale:
        if not plan.allows(scale):
            return None
        gain = plan.coarsen(scale)
    y = np.zeros(plan.dim, real)
    for band, q in zip(bands, coefficients.decode(bands, tier, r, prior)):
        if all(s.stop <= n for s, n in zip(band.box, plan.dim)):
            y[band.box] = coefficients.dequantise(q, step, centres, real).reshape(y[band.box].shape)
    transform.inverse(y, plan)
    if scale:
        y = y * real(gain)
        y = y[tuple(slice(None, None, 1 << scale if k == transform.NONE else 1) for k in plan.kind)]
    return y


def patches_body(r, dim, real):
    """5.9: patches of 8 x 8, or of 64 along the only axis."""
    plane = [1, dim[0]] if len(dim) == 1 else list(dim[-2:])
    size = [1, 64] if len(dim) == 1 else [8, 8]
    outer, rows, cols = math.prod(dim[:-2]), -(-plane[0] // size[0]), -(-plane[1] // size[1])
    y = transform_body(r, [outer, rows, cols, 64], real).reshape([outer, rows, cols] + size)
    y = y.transpose(0, 1, 3, 2, 4).reshape(outer, rows * size[0], cols * size[1])
    return y[:, :plane[0], :plane[1]].reshape(dim)


def interpolation_body(r, dim, real):
    (tier, prior), step = read_tier_or_prior(r), read_step(r)
    plan = interpolation.Plan(r, dim, real)
    return plan.decode(coefficients.decode(plan.bands(), tier, r, prior), step).reshape(dim)


def correction(r, x, dim, order):
    step, tier = r.f64(), read_tier(r)
    require(2.0 ** -1022 <= step < math.inf and int(np.float64(step).view(np.uint64)) & 0x1fffff == 0, "step")
    band = coefficients.Band((1,) * (5 - len(dim)) + tuple(dim))
    q = coefficients.decode([band], tier, r)[0].reshape(dim).transpose(np.argsort(order)).ravel()
    where = q != 0
    x.ravel()[where] = (x.ravel()[where].astype(np.float64) + q[where].astype(np.float64) * step).astype(x.dtype)


def base(r, dim, real):
    kind, exponent = r.u8(), r.svarint()
    require(abs(exponent) <= 900, "exponent of the base")
    if kind == 1:
        return (learned.integers(r, dim).astype(np.float64) * 2.0 ** exponent).astype(real)
    tier = r.u8()
    if kind != 0 or tier > 4:
        raise Unsupported("base")
    band = coefficients.Band((1,) * (5 - len(dim)) + tuple(dim))
    value = coefficients.decode([band], tier, r)[0].reshape(dim)
    return (value.astype(np.float64) * 2.0 ** exponent).astype(real)


def thin(x, scale):
    return x[tuple(slice(None, None, 1 << scale) for _ in x.shape)]


def lossy(first, r, dim, real, scale):
    """Coders 1 and 2. With a scale: the preview, if the transform gives one, else None."""
    axes = [n for n in dim if n > 1] or [1]
    mask = Mask(r.section() if first & MASK else None, dim, real)
    work = np.float64 if first & F64 else np.float32
    exponent, shift, code = r.svarint(), r.svarint(), r.u8()
    require(-1022 <= exponent <= 1023 and abs(shift) <= 1 << 53, "norm")
    orders = list(itertools.permutations(range(len(axes))))
    require(code < len(orders), "order of axes")
    order = orders[code]
    negative = None
    if first & LOG:
        cls = (mask.cls != 0).astype(np.uint8)
        section = r.section()
        Bitmap(section, cls, 2)
        section.end()
        negative = cls.ravel() == 2
    body = [axes[i] for i in order]
    if scale:
        y = transform_body(r.section(), body, work, scale)
        if y is None:
            return None
        if negative is not None:
            negative = thin(negative.reshape(axes), scale).ravel()
        mask.thin(axes, scale)
    else:
        section = r.section() if first & BASE else None
        below = base(section, body, work) if section and section.left() else None
        bodies = {TRANSFORM: transform_body, TRANSFORM | BASE: transform_body, PATCHES: patches_body}
        y = bodies.get(first & 7, interpolation_body)(r.section(), body, work)
        if below is not None:
            y = y + below
    y = y.transpose(np.argsort(order)).ravel().astype(np.float64)
    v = (y + np.float64(shift)) * np.float64(2.0 ** exponent)
    if first & LOG:
        v = np.array([exponential(a) for a in v])
        v = np.where(negative, -v, v)
    x = v.astype(real)
    mask.apply(x)
    if scale:
        return x
    if first & CORRECT:
        correction(r.section(), x, body, order)
        mask.apply(x)
    if first & EXACT_SAMPLES:
        exact_samples(r.section(), x)
    return x


def decode(data, dim, real, scale=0):
    """The samples of a chunk, or those of its coarse grid (4, 5.6)."""
    if scale and data and data[0] & 7 == TRANSFORM:
        r = Reader(data)
        first = r.u8()
        r.u32()
        with np.errstate(all="ignore"):
            x = lossy(first, r, dim, real, scale)
        if x is not None:
            return x.reshape([(n + (1 << scale) - 1) >> scale for n in dim])
    return thin(decode_whole(data, dim, real), scale)


def decode_whole(data, dim, real):
    r = Reader(data)
    first, check = r.u8(), r.u32()
    coder = first & 7
    if coder in (TRANSFORM | BASE, INTERPOLATION | BASE):
        coder &= ~BASE
    if not (TRANSFORM <= coder <= EXACT or coder == PATCHES):
        raise Unsupported("coder")
    require(coder != GRID or first & ~7 in (0, MASK), "flags")
    require(coder != EXACT or first >> 3 == 0, "flags")
    with np.errstate(all="ignore"):
        if coder == GRID:
            x = exact.decode_grid(Mask(r.section() if first & MASK else None, dim, real), r, dim, real)
        elif coder == EXACT:
            x = exact.decode(r, dim, real)
        else:
            x = lossy(first, r, dim, real, 0)
    r.end()
    found = xxh3_low32(x.tobytes())
    require(found in (None, check), "hash of the samples")
    return x.reshape(dim)
