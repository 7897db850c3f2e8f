# SPDX-License-Identifier: Apache-2.0
"""Lattices: symbols, numbers, spacings, docs/format.md 9.3."""
import bisect
import math
import struct
from fractions import Fraction

import numpy as np

INT, TABLE, F32, F64, DEC32, DEC64 = range(6)
LARGEST_F32 = float(np.finfo(np.float32).max)


def order(pattern, bits):
    """Ordered bits of a pattern."""
    top = 1 << (bits - 1)
    return pattern if pattern < top else -(pattern - top) - 1


def pattern_of(x, bits):
    return x if x >= 0 else (-x - 1) + (1 << (bits - 1))


def order_f32(v):
    return order(int(np.float32(v).view(np.uint32)), 32)


def order_f64(v):
    return order(struct.unpack("<Q", struct.pack("<d", v))[0], 64)


def value_f32(x):
    return float(np.uint32(pattern_of(x, 32)).view(np.float32))


def value_f64(x):
    return struct.unpack("<d", struct.pack("<Q", pattern_of(x, 64)))[0]


def decimal(m, e):
    """m * 10^e"""
    m = float(m)
    if e >= 0:
        return m * float(10 ** e)
    if e >= -22:
        return m / float(10 ** -e)
    hi = float(10 ** -e)
    lo = float(10 ** -e - int(hi))
    q = m / hi
    p = q * hi
    r = float(Fraction(q) * Fraction(hi) - Fraction(p))
    return q + (((m - p) - r) - q * lo) / hi


def power_of_ten(t):
    return decimal(1, t) if t < 0 else float(10 ** t) if t <= 22 else 1e22 * float(10 ** (t - 22))


class Lattice:
    def __init__(self, kind, lo, hi, table=None, digits=0, scale_log2=0, ordinal=False):
        self.kind, self.lo, self.hi, self.table, self.digits = kind, lo, hi, table, digits
        self.ordinal, self.scale, self.unscale = ordinal, 2.0 ** scale_log2, 2.0 ** -scale_log2
        self.steps = self.origins = None  # INT of sliced grids, along self.axis of the view
        self.step, self.origin = 1.0, 0.0
        if kind == TABLE:
            self.buckets = 256
            while self.buckets < 65536 and self.buckets < 4 * (hi + 1):
                self.buckets *= 2
            span = table[hi] - table[0]
            self.per_bucket = self.buckets / span if span > 0 else 0.0

    def split(self, x):
        """Exponent and significand of a decimal symbol."""
        f = 10 ** (self.digits - 1)
        u = abs(x) - 1
        e = min(u // (9 * f) - 44, 22)
        return e, u - (e + 44) * 9 * f + f

    def value(self, x):
        """The sample, as f64."""
        if self.kind == F32:
            return value_f32(x)
        if self.kind == F64:
            return value_f64(x)
        if self.kind in (DEC32, DEC64):
            if x == 0:
                return 0.0
            e, m = self.split(x)
            return -decimal(m, e) if x < 0 else decimal(m, e)
        return float(x)

    def number(self, x):
        if self.ordinal:
            return float(x)
        if self.kind == INT:
            return float(x) * self.step + self.origin
        if self.kind == TABLE:
            return self.table[x]
        v = self.value(x)
        return v if self.kind == F32 else v * self.scale

    def spacing(self, x):
        if self.ordinal:
            return np.float32(1)
        if self.kind == INT:
            return np.float32(self.step)
        if self.kind == F32:
            e = min(max((x if x >= 0 else -x - 1) >> 23, 24), 250)
            return np.float32(2.0 ** (e - 150))
        if self.kind == TABLE:
            a, b = max(x - 1, 0), min(x + 1, self.hi)
            d = self.table[b] - self.table[a]
            v = 1.0 if b == a else 0.5 * d if b - a > 1 else d
        elif self.kind == F64:
            e = (x if x >= 0 else -x - 1) >> 52
            v = value_f64((1 if e < 53 else 1988 if e > 2040 else e - 52) << 52) * self.scale
        else:
            v = decimal(1, -44 if x == 0 else self.split(x)[0]) * self.scale
        return np.float32(min(max(v, 1e-37), 1e37))

    def clamp(self, x):
        return min(max(x, self.lo), self.hi)

    def rank(self, p):
        t, q = self.table, (p - self.table[0]) * self.per_bucket
        if not q > 0:
            return 0
        if q >= self.buckets:
            return self.hi
        r, piece = bisect.bisect_left(t, p), float(int(q) + 1)
        if piece < self.buckets:  # not past the last rank below the next piece
            r = min(r, max(bisect.bisect_left(t, piece, key=lambda v: (v - t[0]) * self.per_bucket) - 1, 0))
        if r > self.hi or (r > 0 and p - t[r - 1] < t[r] - p):
            r -= 1
        return r

    def symbol(self, p):
        if self.kind == TABLE and not self.ordinal:
            return self.rank(p)
        if self.kind == INT and self.steps is not None and not self.ordinal:
            p = (p - self.origin) / self.step
        if self.kind == INT or self.ordinal:
            if p <= float(self.lo):
                return self.lo
            if p >= float(self.hi):
                return self.hi
            return math.floor(p + 0.5)
        if self.kind == F32:
            return self.clamp(order_f32(np.float32(min(max(p, -LARGEST_F32), LARGEST_F32))))
        p *= self.unscale
        if not math.isfinite(p):
            p = 0.0
        if self.kind == F64:
            return self.clamp(order_f64(p))
        return self.clamp(self.nearest_decimal(p))

    def nearest_decimal(self, p):
        a, d, f = abs(p), self.digits, 10 ** (self.digits - 1)
        e = next((e for e in range(22, -45, -1) if power_of_ten(e + d - 1) <= a), -44)
        t = a / float(10 ** e) if e >= 0 else a * float(10 ** -e)
        if not t < 10.0 * f:
            t = 10.0 * f - 1
        m = min(math.floor(t + 0.5), 10 * f - 1)
        x = 0 if m < f else 1 + (e + 44) * 9 * f + m - f
        return -x if p < 0 else x
