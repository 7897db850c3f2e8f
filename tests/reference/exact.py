# SPDX-License-Identifier: Apache-2.0
"""Grids (docs/format.md 9), the exact coder (10) and the grid payload (5.5)."""
import math

import numpy as np

from . import lattice, pcm
from .bits import Corrupt, Decoder, Reader, prob, require, unzstd
from .lattice import DEC32, DEC64, F32, F64, INT, TABLE, Lattice


def bits_of(real):
    return np.uint32 if real is np.float32 else np.uint64


def small_stream(r, count, width):
    """9.5, symbols"""
    d, table, h, out = Decoder(r.bytes(r.varint())), {}, 0, []
    for _ in range(count):
        node, row = 1, table.setdefault(h % (128 if width == 1 else 256), [prob(0.5)] * 256)
        for _ in range(width):
            node = node << 1 | d.adaptive(row, node, 250)
        symbol = node - (1 << width)
        out.append(symbol)
        h = h << width | symbol if width <= 2 else (h % 16) * 16 + symbol % 16
    d.check()
    return out


def small_mask(r, count, nx, ny):
    """9.5, masks"""
    d, t, m, plane = Decoder(r.bytes(r.varint())), [prob(0.5)] * 768, [], nx * ny
    for i in range(count):
        x = i % nx
        w = m[i - 1] if x else 0
        ww = m[i - 2] if x > 1 else w
        n = m[i - nx] if i >= nx else 0
        nw = m[i - nx - 1] if i >= nx and x else n
        ne = m[i - nx + 1] if i >= nx and x + 1 < nx else n
        nn = m[i - 2 * nx] if i >= 2 * nx else n
        u, ue, us = 2, 0, 0
        if i >= plane:
            u = m[i - plane]
            ue = m[i - plane + 1] if x + 1 < nx else u
            us = m[i - plane + nx] if nx < plane else u
        m.append(d.adaptive(t, (w + 2 * ww + 4 * n + 8 * nw + 16 * ne + 32 * nn + 64 * ue + 128 * us) * 3 + u, 250))
    d.check()
    return np.array(m, bool)


class Grid:
    """9.1"""

    def __init__(self, r, dim, real):
        head = r.u8()
        self.kind, is_sliced, is_corrected, self.real = head & 7, head >> 3 & 1, head >> 4 & 1, real
        require(head < 32 and 1 <= self.kind <= 4 and not (is_sliced and is_corrected), "grid")
        require(self.kind <= 2 or real is np.float32, "grid")
        self.axis, n = None, 1
        if is_sliced:
            self.axis = r.u8()
            require(self.axis < len(dim) and dim[self.axis] >= 2, "axis of a grid")
            n = dim[self.axis]
        self.scale, self.offset = self._constants(r, n), self._constants(r, n)
        require(all(s > 0 for s in self.scale), "scale")
        self.k_min = r.svarint()
        span = r.varint()
        self.fix = None
        if is_corrected:
            require(span < 1 << 22 and span < math.prod(dim), "corrections")
            self.fix = [(u >> 1) ^ -(u & 1) for u in small_stream(r, span + 1, 8)]

    @staticmethod
    def _constants(r, n):
        out = []
        for _ in range(n):
            kind = r.u8()
            require(kind <= 2 and (kind or out), "constant")
            out.append(out[-1] if kind == 0 else float(r.number("f" if kind == 1 else "d")))
            require(math.isfinite(out[-1]), "constant")
        return out

    def samples(self, k, dim):
        shape = [1] * len(dim)
        if self.axis is not None:
            shape[self.axis] = -1
        work = np.float64 if self.kind <= 2 else np.float32
        scale, offset = (np.array(v, work).reshape(shape) for v in (self.scale, self.offset))
        v = np.array(k, np.int64).reshape(dim).astype(work)
        x = ((v * scale if self.kind & 1 else v / scale) + offset).astype(self.real).ravel()
        if self.fix:
            bits = 8 * x.itemsize
            u = x.view(bits_of(self.real))
            for i, n in enumerate(k):
                if 0 <= n - self.k_min < len(self.fix):
                    u[i] = lattice.pattern_of(lattice.order(int(u[i]), bits) + self.fix[n - self.k_min], bits)
        return x


def integers(r, dim, grid, mask):
    """9.2"""
    n = math.prod(dim)
    mode, lo = r.u8(), r.svarint()
    require(mode <= 2, "mode")
    if mode == 0:
        return [lo] * n
    hi = lo + r.varint()
    require(-1 << 31 <= lo <= hi < 1 << 31, "range")
    lat = Lattice(INT, lo, hi)
    if mode == 2:
        n_used = r.varint()
        require(hi - lo < 1 << 22 and (hi - lo + 1) // 4 <= n, "table")
        used = [lo + i for i, u in enumerate(small_stream(r, hi - lo + 1, 1)) if u]
        require(len(used) == n_used, "table")
        lat = Lattice(TABLE, 0, n_used - 1, table=[float(v) for v in used])
    view, flags = pcm.View(r.u8(), dim), r.u8()
    require(not flags & (pcm.LOW | pcm.ORDINAL), "flags")
    if mode == 1 and grid is not None and grid.axis is not None:
        slices(lat, view, grid, dim)
    k = pcm.Pcm(r.bytes(r.varint()), view, lat, flags, mask).decode()
    return [used[v] for v in k] if mode == 2 else [int(v) for v in k]


def slices(lat, view, grid, dim):
    at = sum(n > 1 for n in dim[:grid.axis])
    if dim[grid.axis] == 1 or (view.rank == 5 and at < 2):
        return
    step = [s if grid.kind & 1 else 1.0 / s for s in grid.scale]
    least = min(step)
    origin = [(o - grid.offset[0]) / least for o in grid.offset]
    step = [s / least for s in step]
    good = [1 <= s < 1e30 and abs(o) < 1e30 for s, o in zip(step, origin)]
    lat.steps = [s if g else 1.0 for s, g in zip(step, good)]
    lat.origins = [o if g else 0.0 for o, g in zip(origin, good)]
    lat.axis = view.place(at)
    require(lat.axis is not None and lat.axis < 3, "view of a sliced grid")


def decode_grid(mask, r, dim, real):
    """5.5; mask: payload.Mask"""
    dim = [n for n in dim if n > 1] or [1]
    m = r.varint()
    require(m in (1, 3, 5, 7, 9), "multiple")
    grid = Grid(r, dim, real)
    where = mask.cls.ravel() != 0
    k = integers(r, dim, grid if m == 1 else None, where if where.any() else None)
    x = grid.samples([v * m for v in k], dim)
    mask.apply(x)
    return x


def head(r):
    view, flags, scale = r.u8(), r.u8(), r.svarint()
    require(-1000 <= scale <= 1000, "scale")
    return view, flags, scale, r.svarint(), r.svarint()


def predicted(r, dim, kind, mask, digits=0, table=None):
    """A head and a body of 10.2: (lattice, symbols)."""
    view, flags, scale, lo, hi = head(r)
    lat = Lattice(kind, lo, hi, table=table, digits=digits, scale_log2=scale, ordinal=bool(flags & pcm.ORDINAL))
    return lat, pcm.Pcm(r.bytes(r.varint()), pcm.View(view, dim), lat, flags, mask).decode()


def flat(r, n, real, mask):
    """10.3: ordered bits"""
    lo, hi = r.svarint(), r.svarint()
    require(lo <= hi, "flat")
    d, t, raw, out = Decoder(r.bytes(r.varint())), [prob(0.5)] * 4096, 0, []
    while (hi - lo) >> raw >= 4096:
        raw += 1
    for i in range(n):
        if mask is not None and mask[i]:
            out.append(0)
            continue
        node = 1
        for _ in range(12):
            node = node << 1 | d.adaptive(t, node, 255)
        out.append(lo + min((node - 4096) << raw | d.raw(raw), hi - lo))
    d.check()
    return out


def block(r, dim, real, mask):
    """10.2"""
    kind, n, single = r.u8(), math.prod(dim), real is np.float32
    bits, floats = (32, F32) if single else (64, F64)
    if kind == 0:
        grid = Grid(r, dim, real)
        return grid.samples(integers(r, dim, grid, mask), dim)
    if kind == 1:
        count, lo, hi = r.varint(), r.svarint(), r.svarint()
        lat = Lattice(floats, lo, hi, ordinal=True)
        values = pcm.Pcm(r.bytes(r.varint()), pcm.View(0, [count]), lat, pcm.ORDINAL, None).decode()
        numbers = [lat.value(v) for v in values]
        require(count >= 2 and all(a < b for a, b in zip(numbers, numbers[1:])), "table")
        _, ranks = predicted(r, dim, TABLE, mask, table=numbers)
        symbols = [values[v] for v in ranks]
    elif kind == 2:
        _, symbols = predicted(r, dim, floats, mask)
    elif kind == 3:
        digits = r.u8()
        require(1 <= digits <= 15, "digits")
        lat, symbols = predicted(r, dim, DEC32 if single else DEC64, mask, digits)
        return np.array([lat.value(v) for v in symbols]).astype(real)
    elif kind == 4:
        symbols = flat(r, n, real, mask)
    else:
        raise Corrupt("kind of block")
    return np.array([lattice.pattern_of(v, bits) for v in symbols], bits_of(real)).view(real)


def special(r, dim, real):
    """10.1: (mask, patterns of the masked samples)"""
    mask = small_mask(r, math.prod(dim), dim[-1], dim[-2] if len(dim) > 1 else 1)
    n_palette, size, n = r.u8(), real().itemsize, int(mask.sum())
    if n_palette == 0:
        return mask, np.frombuffer(r.bytes(n * size), bits_of(real))
    palette = np.frombuffer(r.bytes(n_palette * size), bits_of(real))
    index = small_stream(r, n, 8) if n_palette > 1 else [0] * n
    require(all(i < n_palette for i in index), "palette")
    return mask, palette[np.array(index, int)]


def blocks(r, dim, real, has_special):
    n, out = math.prod(dim), []
    mask, patterns = special(r, dim, real) if has_special else (None, None)
    row = math.prod(dim[1:])
    rows = -(-(1 << 20) // row)
    count = dim[0] // rows if rows < dim[0] else 1
    rows = -(-dim[0] // count)
    for start in range(0, dim[0], rows):
        part = [min(rows, dim[0] - start)] + dim[1:]
        body = Reader(r.bytes(r.varint()))
        m = None if mask is None else mask[start * row:start * row + math.prod(part)]
        out.append(block(body, part, real, m))
        body.end()
    x = np.concatenate(out).astype(real)
    require(x.size == n, "blocks")
    if mask is not None:
        x.view(bits_of(real))[mask] = patterns
    return x


def decode(r, dim, real):
    """10"""
    mode, n = r.u8(), math.prod(dim)
    require(mode < 64 and (not mode & 32 or real is np.float64), "mode")
    own = np.float32 if mode & 32 else real
    size, kind = own().itemsize, mode & 15
    if kind == 0:
        x = np.frombuffer(r.bytes(n * size), bits_of(own))
    elif kind == 1:
        x = np.full(n, np.frombuffer(r.bytes(size), bits_of(own))[0])
    elif kind == 2:
        planes = np.frombuffer(unzstd(r.bytes(r.varint()), n * size), np.uint8).reshape(size, n)
        x = np.ascontiguousarray(planes.T).reshape(-1).view(bits_of(own))
    else:
        require(kind == 3, "mode")
        return blocks(r, list(dim), own, mode & 16).astype(real)
    return x.copy().view(own).astype(real)
