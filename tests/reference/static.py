# SPDX-License-Identifier: Apache-2.0
"""Tier STATIC of the coefficient coder, docs/format.md 8.9 and 11.5."""
import numpy as np

from .bits import Corrupt, Decoder, Reader, Truncated, prob, squash
from .static_shapes import SHAPES

LARGEST = 1 << 28
TABLES, FINE, VALUES = 86, 17, 84
GAIN = [4, 5, 6, 7, 8, 10, 11, 13, 16, 19, 23, 27, 32, 38, 45, 54, 64, 76, 91, 108, 128, 152, 181, 215, 256, 304, 362, 431,
        512, 609, 724, 861, 1024]
WEIGHTS = [  # k1..k6, share, near
    (2976, 3392, 1267, 819, 819, 819, 32178, 16), (1626, 704, 723, 333, 461, 58, 31654, 16),
    (1254, 230, 397, 218, 70, 960, 31130, 16), (1408, 0, 442, 0, 186, 557, 34865, 15),
    (1549, 659, 704, 550, 480, 262, 38076, 13), (1107, 115, 422, 461, 429, 768, 37487, 14),
    (589, 0, 474, 64, 1325, 429, 43057, 11), (2163, 1581, 1043, 486, 2240, 499, 42205, 12),
    (1562, 480, 646, 499, 1581, 678, 44237, 11), (282, 0, 704, 0, 2707, 480, 55837, 5),
    (2413, 2234, 1376, 819, 819, 544, 25952, 20),
]


def scaled(v, gain):
    return v * GAIN[gain + 16] >> 6


def three(m):
    out = 2 * m
    out[1:] += m[:-1]
    out[:-1] += m[1:]
    return out


class Numbers:
    """The arithmetic code of the parameters."""

    def __init__(self, data):
        self.d = Decoder(data)
        self.sets = {}

    def bit(self, name, i=0):
        table = self.sets.setdefault(name, [prob(0.5)] * 9)
        return self.d.adaptive(table, i, 30)

    def number(self, name):
        n = 0
        while n < 9 and self.bit(name, n):
            n += 1
        if n == 0:
            return 0
        negative = self.d.raw(1)
        v = 1 << (n - 1) | self.d.raw(n - 1)
        return -v if negative else v


class Bits:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        v = 0
        for k in range(n):
            if self.at >= 8 * len(self.data):
                raise Truncated("bits of a block")
            v |= (self.data[self.at >> 3] >> (self.at & 7) & 1) << k
            self.at += 1
        return v

    def golomb(self):
        n = 0
        while n < 30 and self.take(1):
            n += 1
        if n == 30:
            raise Corrupt("Exp-Golomb code")
        return (1 << n) - 1 + self.take(n)

    def close(self):
        left = 8 * len(self.data) - self.at
        if left >= 8 or self.take(left):
            raise Corrupt("bits of a block")


class Rans:
    def __init__(self, words):
        if len(words) < 8:
            raise Corrupt("rANS states")
        self.state = [words[2 * i] | words[2 * i + 1] << 32 for i in range(4)]
        if any(x >> 31 == 0 or x >> 63 for x in self.state):
            raise Corrupt("rANS state")
        self.words, self.at = words, 8

    def group(self, tables):
        out = []
        for i, (cum, lookup) in enumerate(tables):
            x = self.state[i & 3]
            slot = x & 32767
            s = int(lookup[slot])
            x = (cum[s + 1] - cum[s]) * (x >> 15) + slot - cum[s]
            if x >> 31 == 0:
                if self.at >= len(self.words):
                    raise Corrupt("rANS words")
                x = x << 32 | self.words[self.at]
                self.at += 1
            self.state[i & 3] = x
            out.append(s)
        return out

    def close(self):
        if self.at != len(self.words) or any(x != 1 << 31 for x in self.state):
            raise Corrupt("end of rANS")


def decisions_of(t):
    if t >= VALUES:
        return [0]
    return list(range(18)) if t < 4 * FINE and t % 4 else [0] + list(range(4, 18))


def frequencies(d, t):
    """cum[32] and the symbol of each slot."""
    def split(w, k):
        return w * squash(32 * k) >> 16

    f = [0] * 31
    left = 32768 - 31
    nz = split(left, d[0])
    f[15], left = left - nz, nz
    if t >= VALUES:
        f[16] = nz
    else:
        for k in range(1, 16):
            more = split(left, d[3 + k]) if k < 15 else 0
            here = left - more
            f[15 + k] = split(here, d[min(k, 3)])
            f[15 - k] = here - f[15 + k]
            left = more
    f = [v + 1 for v in f]
    return [0] + np.cumsum(f).tolist(), np.repeat(np.arange(31), f)


class Block:
    """One share of all bands; writes into q, a list of arrays."""

    def __init__(self, bands, classes, q, index, n_blocks, data):
        self.bands, self.classes, self.q, self.index, self.n_blocks = bands, classes, q, index, n_blocks
        self.m = [np.zeros(b.dim, np.int64) for b in bands]
        r = Reader(data)
        self.head(r.bytes(r.varint()))
        n = r.varint()
        self.rans = Rans(np.frombuffer(r.bytes(4 * n), "<u4").astype(object).tolist())
        self.bits = Bits(r.rest())

    def rows_of(self, band):
        return band.dim[3] * self.index // self.n_blocks, band.dim[3] * (self.index + 1) // self.n_blocks

    def head(self, data):
        d = Numbers(data)
        self.phases = []
        for band in self.bands:
            lo, hi = self.rows_of(band)
            phases = []
            for p in range(2):
                if not band.count or hi <= lo:
                    break
                gain = d.number(f"gain{p}") + (phases[0][0] if p else 0)
                if abs(gain) > 8:
                    raise Corrupt("gain")
                taps = None
                if d.bit(f"has{p}"):
                    taps = [d.number("tap") for _ in range(12 if p else 10)] + [0, 0]
                phases.append((gain, taps))
            self.phases.append(phases)
        self.tables = []
        for t in range(TABLES):
            shape = list(SHAPES[t])
            if d.bit("differs"):
                for i in decisions_of(t):
                    shape[i] += d.number("decision%d" % (0 if i == 0 else 1 if i < 4 else 2))
                    if abs(shape[i]) > 96:
                        raise Corrupt("decision")
            self.tables.append(frequencies(shape, t))
        if d.d.at - len(data) > 12:
            raise Corrupt("parameters")

    def run(self):
        for i, band in enumerate(self.bands):
            if band.count == 0:
                continue
            lo, hi = self.rows_of(band)
            for v0 in range(band.dim[0]):
                for v1 in range(band.dim[1]):
                    for z in range(band.dim[2]):
                        for y in range(lo, hi):
                            self.row(i, (v0, v1, z, y))
        self.rans.close()
        self.bits.close()

    def has(self, i, at):
        lo, hi = self.rows_of(self.bands[i])
        return 0 <= at[2] < self.bands[i].dim[2] and lo <= at[3] < hi

    def of(self, planes, i, at, dz=0, dy=0):
        to = (at[0], at[1], at[2] + dz, at[3] + dy)
        if not self.has(i, to):
            return np.zeros(self.bands[i].dim[4], np.int64)
        return np.clip(planes[i][to], -32767, 32767)

    def other(self, j, mask, at):
        band = self.bands[j]
        lo, hi = self.rows_of(band)
        if hi <= lo or not band.count:
            return None
        to = [min(at[a] >> (mask >> a & 1), band.dim[a] - 1) for a in range(4)]
        to[3] = min(max(to[3], lo), hi - 1)
        return tuple(to)

    def spread(self, row, n, mask):
        s = three(row)
        return s[np.minimum(np.arange(n) >> (mask >> 4 & 1), len(s) - 1)]

    def before(self, i, at):
        if at[1]:
            return (at[0], at[1] - 1, at[2], at[3])
        return (at[0] - 1, self.bands[i].dim[1] - 1, at[2], at[3]) if at[0] else None

    def energy(self, i, at, u):
        band, m = self.bands[i], self.m
        n = band.dim[4]
        k = [scaled(v, self.phases[i][0][0]) for v in WEIGHTS[self.classes[i]][:6]]
        s = k[0] * three(self.of(m, i, at, 0, -1)) + k[1] * self.of(m, i, at, 0, -2)
        if u:
            s += k[2] * (three(self.of(m, i, u)) + self.of(m, i, u, 0, -1) + self.of(m, i, u, 0, 1))
        p = self.other(band.parent, band.parent_half, at) if band.parent >= 0 else None
        if p:
            s += k[3] * self.spread(self.of(m, band.parent, p), n, band.parent_half)
        t = self.other(band.time_parent, band.time_half, at) if band.time_parent >= 0 else None
        before = self.before(i, at)
        if t:
            s += k[5] * self.spread(self.of(m, band.time_parent, t), n, band.time_half)
        elif before:
            s += k[5] * three(self.of(m, i, before))
        for j in band.siblings:
            t = self.other(j, 0, at)
            if t:
                row = self.of(m, j, t)[:n]
                s[:len(row)] += k[4] * row
        return np.minimum(s >> 8, 65535)

    def other_taps(self, i, at, u, taps):
        """Part of the mean that other rows give."""
        def moved(row, d):
            return np.concatenate([[0], row[:-1]]) if d < 0 else np.concatenate([row[1:], [0]])

        q = self.q
        north = self.of(q, i, at, 0, -1)
        zero = np.zeros_like(north)
        up = self.of(q, i, u) if u else zero
        rows = [north, up, moved(north, -1), moved(north, 1), self.of(q, i, at, 0, -2), self.of(q, i, at, -2), moved(up, -1),
                moved(up, 1), self.of(q, i, u, 0, -1) if u else zero, self.of(q, i, u, 0, 1) if u else zero]
        return sum(t * r for t, r in zip(taps, rows))

    def row(self, i, at):
        band, q, m = self.bands[i], self.q[i][at], self.m[i][at]
        n = band.dim[4]
        u = (at[0], at[1], at[2] - 1, at[3]) if at[2] else self.before(i, at)
        e = self.energy(i, at, u)
        quiet = [not e[g:g + 16].any() for g in range(0, n, 16)]
        which = [self.tables[84 + (g > 0 and not quiet[g - 1])] for g in range(len(quiet)) if quiet[g]]
        flags = iter(self.rans.group(which))
        coded = [not s or next(flags) != 15 for s in quiet]
        (gain, _), (gain1, _) = self.phases[i]
        share, near = WEIGHTS[self.classes[i]][6:]
        share, near = min(scaled(share, gain1 - gain), 65535), min(scaled(near, gain1), 32)
        for p in range(2):
            taps = self.phases[i][p][1]
            others = self.other_taps(i, at, u, taps) if taps else None
            columns = [x for x in range(p, n, 2) if coded[x >> 4]]
            info = []
            for x in columns:
                v = int(e[x])
                if p:
                    west_east = int(m[x - 1]) + (int(m[x + 1]) if x + 1 < n else 0)
                    v = min((v * share >> 16) + west_east * near, 65535)
                top = v.bit_length() - 1
                c = v if v < 2 else 1 + 2 * top + (v >> (top - 1) & 1)
                base = fine = turns = 0
                if taps:
                    s = int(others[x])
                    if p:
                        s += taps[10] * min(max(int(q[x - 1]), -32767), 32767)
                        s += taps[11] * min(max(int(q[x + 1]), -32767), 32767) if x + 1 < n else 0
                    a = (s + 2) >> 2
                    base = (a + 8) >> 4
                    f = a - 16 * base
                    fine, turns = min(abs(f) >> 1, 3), f < 0
                info.append((4 * c + fine if c < FINE else 3 * FINE + c, 0 if c < FINE else ((c - FINE) >> 1) + 1, base, turns))
            symbols = self.rans.group([self.tables[t[0]] for t in info])
            for x, s, (_, shift, base, turns) in zip(columns, symbols, info):
                k = s - 15
                t = abs(k)
                if t == 15:
                    t += self.bits.golomb()
                if t:
                    t = min(((t - 1) << shift | self.bits.take(shift)) + 1, 2 * LARGEST)
                q[x] = min(max(base + (-t if (k < 0) != turns else t), -LARGEST), LARGEST)
                m[x] = min(t, 1023)
