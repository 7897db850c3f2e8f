# SPDX-License-Identifier: Apache-2.0
"""The coefficient coder, docs/format.md 8."""
import copy
import math
from dataclasses import dataclass, field

import numpy as np

from .bits import M32, STRETCH, Corrupt, Decoder, Distribution, learn, prob, squash
from .learned import COUNTERS, ask
from .ols import Ols
from . import static

FAST, AVERAGE, MIX, BEST, STATIC, PRIOR = range(6)
TRELLIS = 8
WITH_TRELLIS = [TRELLIS + t for t in (MIX, BEST, PRIOR)]
NEXT_STATE = ((0, 1), (2, 3), (5, 4), (7, 6), (1, 0), (3, 2), (4, 5), (6, 7))  # 8.6, by the parity of the integer
OF_SIZES = ("energy", "mix", "by_logit")  # what a trellis has for each of its quantisers
LARGEST = 1 << 28
LIMIT = 127
WEIGHTS = [  # w ww north north2 up parent sibling time
    (46, 20, 26, 15, 15, 5, 3, 8), (55, 17, 23, 13, 16, 1, 1, 3), (72, 12, 21, 4, 10, 1, 1, 2),
    (75, 3, 22, 1, 9, 1, 1, 2), (58, 14, 19, 10, 18, 3, 0, 4), (64, 14, 19, 2, 13, 1, 1, 3),
    (58, 12, 18, 1, 14, 1, 1, 2), (52, 18, 18, 17, 21, 3, 2, 5), (60, 9, 14, 2, 18, 1, 3, 4),
    (52, 8, 11, 2, 16, 1, 3, 4), (35, 45, 18, 40, 14, 0, 0, 4),
]


NONZERO = [  # 8.8
    6, 16, 27, 41, 51, 61, 72, 82, 100, 115, 130, 142, 157, 170, 180, 187, 195, 203, 210, 216, 221, 226, 231,
    232, 236, 237, 240, 239, 241, 244, 244, 245, 246, 247, 249, 250, 250, 252, 252, 253,
]
RATIO = [
    36, 41, 43, 42, 47, 48, 56, 59, 69, 76, 87, 93, 107, 122, 133, 143, 154, 169, 182, 192, 199, 211, 217, 192,
    202, 212, 217, 192, 200, 211, 217, 192, 204, 213, 219, 196, 205, 213, 223, 220,
]


@dataclass
class Band:
    dim: tuple
    level: int = 0
    high: int = 0
    is_low: bool = False
    parent: int = -1
    parent_half: int = 0
    time_parent: int = -1
    time_half: int = 0
    siblings: list = field(default_factory=list)
    origin: tuple = (0,) * 5

    @property
    def count(self):
        return math.prod(self.dim)


def class_of(band):
    h = bin(band.high).count("1")
    return 0 if band.is_low else 10 if h == 0 else 3 * min(band.level, 2) + min(h, 3)


def lg(v):
    if v < 4:
        return v
    t = v.bit_length() - 1
    return min(4 + 4 * (t - 2) + ((v >> (t - 2)) & 3), 39)


def log(v, unit=0):
    """8.7: 32 an octave, with the sign; unit 1 for multiples of a trellis's step."""
    u = abs(v) + (1 << unit)
    t = u.bit_length() - 1
    k = min(32 * (t - unit) + ((u << 5) >> t & 31), 511)
    return -k if v < 0 else k


def half(v):
    return lg(v) // 2


def mean_index(v):
    k = min((lg(abs(v)) + 1) // 2, 15)
    return 15 - k if v < 0 else 15 + k


def sum3(m, c, s):
    out = c * m
    out[1:] += s * m[:-1]
    out[:-1] += s * m[1:]
    return out


class Mean:
    """8.5, one band."""

    def __init__(self):
        self.ols = Ols(12)
        self.num = self.den = 0.0
        self.batch = []
        self.seen = 0

    def predict(self, x):
        self.x, w = x, self.ols.w
        lane = [((0.0 + w[j] * x[j]) + w[j + 4] * x[j + 4]) + w[j + 8] * x[j + 8] for j in range(4)]
        self.pred = (lane[0] + lane[1]) + (lane[2] + lane[3])
        g = float(np.float64(self.num) / np.float64(self.den)) if self.den > 0 else 0.0
        p = 0.0 if not g > 0.15 else self.pred * g if g < 1 else self.pred
        v = p * 16.0
        return 0 if v != v else int(min(max(v, -1e6), 1e6))

    def update(self, value, energy):
        value = float(value)
        self.num = self.num * 0.998 + self.pred * value
        self.den = self.den * 0.998 + self.pred * self.pred
        inverse = 1.0 / (energy * 0.0625 + 0.3)
        self.batch.append(([v * inverse for v in self.x], value * inverse))
        self.seen += 1
        if len(self.batch) == 8:
            self.ols.update(self.batch, 1.004)
            self.batch = []
            if self.seen <= 64 or self.seen % 64 == 0:
                self.ols.solve()


class Block:
    """8.1 to 8.5: one independent share of all bands; writes into q, a list of arrays."""

    def __init__(self, bands, q, tier, index, n_blocks, data, prior=None):
        self.unit, tier = int(bool(tier & TRELLIS)), tier & 7
        self.bands, self.q, self.tier, self.index, self.n_blocks = bands, q, tier, index, n_blocks
        self.d = Decoder(data)
        self.m = [np.zeros(b.dim, np.int64) for b in bands]
        n_pairs = (0, 2, 2, 5, None, 5)[tier]
        self.best, self.prior = tier in (BEST, PRIOR), None
        self.symbols = tier in (FAST, AVERAGE)
        self.by_energy, self.by_pair = {}, [{}, {}]
        self.n_inputs = 1 + n_pairs + self.best
        self.energy = {}
        self.pair = [[0] * 6400 for _ in range(n_pairs)]
        self.mean_table, self.mean_sign = [0] * (8 * 20 * 31), [0] * (20 * 31)
        self.sign, self.segment = [prob(0.5)] * (27 * 4), [prob(0.125)] * 24
        self.escape, self.top = [prob(0.5)] * 30, [prob(15 / 32)] * 16
        self.mix, self.sign_mix = {}, {}
        self.error = [0] * (max(b.dim[4] for b in bands) + 4)
        if tier == PRIOR:
            self.start(prior)
        else:
            first = {name: getattr(self, name) for name in OF_SIZES if hasattr(self, name)}
            self.of_quantiser = [first, copy.deepcopy(first)]

    def start(self, model):
        """8.7: where a prior lets the adaptive model begin."""
        a = model.arrays
        table = {n: [int(p) << 16 | int(k) for p, k in zip(a[f"start/{n}"].ravel(), a[f"seen/{n}"].ravel())]
                 for n in COUNTERS}
        kind = "trellis/" if self.unit else ""
        self.prior = model
        self.pair = [table[f"{kind}pair{i}"] for i in range(5)]
        self.mean_table, self.mean_sign, self.sign = table[f"{kind}mean"], table["mean_sign"], table["sign"]
        self.segment = [table["segment"][4 * c + k] for c in range(12) for k in range(2)]
        self.escape, self.top = table["escape"], table["top"]
        w, n = a["mix/weight"].reshape(2316, 9).tolist(), a["mix/seen"].ravel().tolist()
        self.sign_mix = {c: [w[2304 + c], n[2304 + c]] for c in range(12)}
        self.of_quantiser = []
        for z in range(1 + self.unit):
            energy, logit, first = table[f"{kind}energy"][7680 * z:], table[f"{kind}logit"][1536 * z:], 768 * (self.unit + z)
            self.of_quantiser.append({
                "energy": {(c, e): energy[(e * 12 + c) * 16:(e * 12 + c) * 16 + 16] for c in range(12) for e in range(40)},
                "by_logit": logit,
                "mix": {(c, k, r): [w[i], n[i]] for c in range(12) for k in range(16) for r in range(4)
                        for i in [first + (c * 16 + k) * 4 + r]}})

    def rows_of(self, band):
        return band.dim[3] * self.index // self.n_blocks, band.dim[3] * (self.index + 1) // self.n_blocks

    def run(self):
        for i, band in enumerate(self.bands):
            if band.count == 0:
                continue
            self.mean = Mean()
            lo, hi = self.rows_of(band)
            for v0 in range(band.dim[0]):
                for v1 in range(band.dim[1]):
                    for z in range(band.dim[2]):
                        for y in range(lo, hi):
                            self.row(i, (v0, v1, z, y))
            self.d.check()

    # --- 8.2 ---

    def has(self, i, at):
        lo, hi = self.rows_of(self.bands[i])
        return 0 <= at[2] < self.bands[i].dim[2] and lo <= at[3] < hi

    def near(self, i, at, dz=0, dy=0):
        to = (at[0], at[1], at[2] + dz, at[3] + dy)
        return self.m[i][to].copy() if self.has(i, to) else np.zeros(self.bands[i].dim[4], np.int64)

    def other(self, i, mask, at):
        band = self.bands[i]
        to = [min(at[a] >> (mask >> a & 1), band.dim[a] - 1) for a in range(4)]
        lo, hi = self.rows_of(band)
        if hi <= lo:
            return None
        to[3] = min(max(to[3], lo), hi - 1)
        return tuple(to)

    def spread(self, s, n, mask):
        return s[np.minimum(np.arange(n) >> (mask >> 4 & 1), len(s) - 1)]

    def neighbourhood(self, i, at):
        band, n = self.bands[i], self.bands[i].dim[4]
        zero = np.zeros(n, np.int64)
        earlier = None
        if at[1]:
            earlier = (at[0], at[1] - 1, at[2], at[3])
        elif at[0]:
            earlier = (at[0] - 1, band.dim[1] - 1, at[2], at[3])

        def cross(j, t, centre):
            return sum3(self.near(j, t), centre, 1) + self.near(j, t, 0, -1) + self.near(j, t, 0, 1)

        north, north2 = sum3(self.near(i, at, 0, -1), 2, 1), self.near(i, at, 0, -2)
        u = (at[0], at[1], at[2] - 1, at[3]) if at[2] else earlier
        up = cross(i, u, 2) if u else zero
        parent, time, sibling = zero, zero, zero.copy()
        p = self.other(band.parent, band.parent_half, at) if band.parent >= 0 else None
        if p:
            s = cross(band.parent, p, 4) + self.near(band.parent, p, -1) + self.near(band.parent, p, 1)
            parent = self.spread(s, n, band.parent_half)
        t = self.other(band.time_parent, band.time_half, at) if band.time_parent >= 0 else None
        if t:
            time = self.spread(cross(band.time_parent, t, 2), n, band.time_half)
        elif earlier:
            time = cross(i, earlier, 2)
        for j in band.siblings:
            t = self.other(j, 0, at)
            if t:
                s = 2 * self.near(j, t) + self.near(j, t, 0, -1) + self.near(j, t, 0, 1)
                k = min(n, len(s))
                sibling[:k] += s[:k]
        _, _, *k = WEIGHTS[class_of(band)]
        rows = (north, north2, up, parent, sibling, time)
        energy = np.minimum(sum(a * b for a, b in zip(k, rows)) >> 4, 65535)
        return [r.tolist() for r in rows], energy.tolist()

    # --- 8.3 ---

    def weights(self, table, key, n):
        if key not in table:
            table[key] = [[19660 // n] * n, 0]
        return table[key]

    def mixed(self, counters, weights, logit=()):
        table, i = counters[0]
        for t, k in counters[1:]:
            if t[k] & 1023 == 0:
                t[k] = table[i] & ~1023
        s = [STRETCH[t[k] >> 20] for t, k in counters] + list(logit)
        w = weights[0]
        p = squash(sum(a * b for a, b in zip(s, w)) >> 14)
        bit = self.d.bit(p)
        e = (65535 if bit else 0) - p
        h = 14 if weights[1] < 64 else 15 if weights[1] < 512 else 16 if weights[1] < 4096 else 17
        weights[1] += 1
        for j, stretched in enumerate(s):
            v = (w[j] + ((stretched * e + (1 << (h - 1))) >> h)) & M32
            w[j] = v - (1 << 32) if v >> 31 else v
        for t, k in counters:
            learn(t, k, bit, LIMIT)
        return bit

    def decision(self, k, mean):
        """mean: what M is taken of."""
        line, slot = min(k, 15), min(k, 7)
        key = (self.c, self.e)
        if key not in self.energy:
            self.energy[key] = [prob(0.25)] + [prob(0.375)] * 15
        counters = [(self.energy[key], line)]
        counters += [(t, context * 8 + slot) for t, context in zip(self.pair, self.contexts)]
        if self.best:
            counters.append((self.mean_table, (slot * 20 + self.scale) * 31 + mean_index(mean)))
        e, logit = self.e, []
        if self.prior:
            output = self.ladder + slot - 1 if k else 0
            logit = [self.logits[output]]
            counters.append((self.by_logit, self.logit_counter(output, logit[0])))
        mix_range = 0 if e < 4 else 1 if e < 10 else 2 if e < 14 else 3
        return self.mixed(counters, self.weights(self.mix, (self.c, line, mix_range), self.n_inputs), logit)

    # --- 8.7 ---

    def logit_counter(self, output, logit):
        return (output * 3 + (0 if self.e < 12 else 1 if self.e < 20 else 2)) * 32 + ((logit + 2048) >> 7)

    def features(self, i, at, x, sums, energy, run, scale, mean, shift, is_difference):
        band, n = self.bands[i], self.bands[i].dim[4]

        def size(v):
            return log(v, self.unit)

        def tap(dz, dy, dx):
            to = (at[0], at[1], at[2] + dz, at[3] + dy)
            return size(int(self.q[i][to][x + dx])) if self.has(i, to) and 0 <= x + dx < n else 0

        def other_row(j, mask):
            to = self.other(j, mask, at) if j >= 0 and self.bands[j].count else None
            return [] if to is None else self.q[j][to].tolist()

        def spread(j, mask):
            row = other_row(j, mask)
            return size(row[min(x >> (mask >> 4 & 1), len(row) - 1)]) if row else 0

        def value(row, k):
            return row[k] if 0 <= k < len(row) else 0

        near = [tap(*d) for d in ((0, 0, -1), (0, 0, -2), (0, 0, -3), (0, -1, 0), (0, -1, 1), (0, -1, -1), (0, -2, 0),
                                  (0, -1, 2), (-1, 0, 0), (-1, 0, 1), (-1, 0, -1), (-1, -1, 0), (-1, 1, 0), (-2, 0, 0))]
        north, _, _, parent_sum, sibling_sum, time_sum = sums
        parent, time = spread(band.parent, band.parent_half), spread(band.time_parent, band.time_half)
        rows = [other_row(j, 0) for j in (list(reversed(band.siblings)) + [-1] * 3)[:3]]
        sibling = [size(value(r, x)) for r in rows]
        beside = abs(value(rows[0], x - 1)) + abs(value(rows[0], x + 1))
        s = -1 if mean < 0 else 1
        y, z = at[3] & 1, at[2] & 1
        f = [abs(v) for v in near] + [abs(parent), size(parent_sum[x]), abs(time), size(time_sum[x]), abs(sibling[0]), size(beside),
                                      abs(sibling[1]), abs(sibling[2]), size(sibling_sum[x]), log(energy), log(scale),
                                      log(abs(mean)), min(abs(mean), 511), min(scale, 511), size(run), 64 * min(shift, 7),
                                      256 if is_difference else 0, size(north[x])]
        f += [s * near[k] for k in (0, 1, 3, 6, 5, 4, 8, 13, 9, 10, 11, 12)] + [s * parent, s * time, s * sibling[0], s * sibling[1]]
        return f + [s * (-parent if x & 1 else parent), s * (-parent if y else parent), s * (-time if z else time),
                    s * (-parent if x & 1 != y else parent)]

    # --- 8.8 ---

    def symbol(self):
        key = (self.e, self.c)
        if key not in self.by_energy:
            a = [127 * NONZERO[self.e]]
            for _ in range(14):
                a.append((a[-1] * RATIO[self.e]) >> 8)
            self.by_energy[key] = Distribution(a + [0], 30)
        own = self.by_energy[key]
        if self.tier == FAST:
            s = self.d.symbol(own.a)
        else:
            pairs = [t.setdefault(k, Distribution(own.a, 0)) for t, k in zip(self.by_pair, self.contexts)]
            s = self.d.symbol([(e + ((a + b) >> 1)) >> 1 for e, a, b in zip(own.a, *(p.a for p in pairs))])
            for p in pairs:
                p.learn(s)
        own.learn(s)
        return s

    def value_of_symbol(self, band, q, north, up, x):
        s = self.symbol()
        if s == 0:
            return 0
        shift = 0 if self.e < 23 else (self.e - 19) >> 2
        u = s - 1 if s < 15 else 14 + self.escaped()
        low = self.d.raw(shift)
        negative = self.d.adaptive(*self.sign_counter(band, q, north, up, x), LIMIT)
        magnitude = min((1 + (u << shift | low)) & M32, LARGEST)
        return -magnitude if negative else magnitude

    # --- 8.4 ---

    def escaped(self):
        n = 0
        while n < 30 and self.d.adaptive(self.escape, n, LIMIT):
            n += 1
        return (1 << n) + self.d.raw(n) - 1

    def sign_counter(self, band, q, north, up, x):
        s = [(1 + (r[x] > 0) - (r[x] < 0)) if r is not None else 1 for r in (north, up)]
        west = 1 + (q[x - 1] > 0) - (q[x - 1] < 0) if x else 1
        return self.sign, int((9 * west + 3 * s[0] + s[1]) * 4 + (band.high >> 3 & 3))

    def value(self, band, q, north, up, x, total, mean):
        if not self.decision(0, abs(mean)):
            return 0
        counter = self.sign_counter(band, q, north, up, x)
        if self.best:
            counters, logit = [counter, (self.mean_sign, self.scale * 31 + mean_index(mean))], []
            if self.prior:
                logit = [-self.logits[1] if mean < 0 else self.logits[1]]
                counters.append((self.by_logit, self.logit_counter(1, logit[0])))
            negative = self.mixed(counters, self.weights(self.sign_mix, class_of(band), 2), logit)
            self.ladder = 2 if bool(negative) == (mean < 0) else 9
        else:
            negative = self.d.adaptive(*counter, LIMIT)
        shift = 0
        while total >> shift > 128:
            shift += 1
        a = -mean if negative else mean
        u = low = 0
        while u < 24 and self.decision(u + 1, (a - ((u << shift) + 1) * 16) >> shift):
            u += 1
        if u == 24:
            u += self.escaped()
        if shift:
            low = self.d.adaptive(self.top, min(u, 15), LIMIT) << (shift - 1)
            low |= self.d.raw(shift - 1)
        magnitude = min((1 + (u << shift | low)) & M32, 2 * LARGEST)
        return -magnitude if negative else magnitude

    def row(self, i, at):
        band = self.bands[i]
        n, best = band.dim[4], self.best
        (north, north2, up, parent, sibling, time), energy0 = self.neighbourhood(i, at)
        kw, kww = WEIGHTS[class_of(band)][:2]
        q, m = self.q[i][at], self.m[i][at]
        place = 8 * (band.level > 0) + (band.high >> 2 & 7)
        w = ww = run = flag = 0
        error, shown = self.error, 2  # error[x] is error[x + shown]

        def row_of(dz, dy):
            to = (at[0], at[1], at[2] + dz, at[3] + dy)
            return self.q[i][to] if self.has(i, to) else None

        q_n, q_nn, q_u, q_uu = row_of(0, -1), row_of(0, -2), row_of(-1, 0), row_of(-2, 0)
        q_un, q_us = row_of(-1, -1), row_of(-1, 1)

        def tap(r, x):
            return float(r[x]) if r is not None and 0 <= x < n else 0.0

        x, state, unit = -1, 0, self.unit
        by_turns, most = unit and not band.is_low, LARGEST >> unit
        while x + 1 < n:
            x += 1
            if x % 16 == 0 and not any(energy0[x:x + 16]) and not w and not ww:
                flag = self.d.adaptive(self.segment, class_of(band) * 2 + flag, LIMIT)
                if not flag:
                    end = min(x + 16, n)
                    error[x + shown:end + shown] = [0] * (end - x)
                    for _ in range(end - x if by_turns else 0):
                        state = NEXT_STATE[state][0]
                    x, run = end - 1, 0
                    continue
            quantiser = state & 1
            self.__dict__.update(self.of_quantiser[quantiser])
            sum_of_values = energy0[x] + ((kw * w + kww * ww) >> 4)
            energy = (sum_of_values + unit) >> unit
            self.c, self.e = class_of(band), lg(energy)
            if self.tier != FAST:
                near = half(2 * (4 * w + 2 * north[x] + up[x]))
                self.contexts = [
                    (half(8 * w + 4 * ww) * 20 + half(3 * north[x])) * 2 + (up[x] > 0),
                    (half(2 * up[x]) * 20 + half(2 * (parent[x] + time[x]))) * 2 + (w > 0),
                    (near * 20 + half(3 * sibling[x])) * 2 + (time[x] > 0),
                    (near * 20 + place) * 2 + (parent[x] > 0),
                    (half(run) * 20 + half(8 * north2[x])) * 2 + (north[x] > 0)]
            mean = first_mean = base = 0
            total = energy
            if best:
                e = error[x:x + 4]
                scale = (3 * e[1] + e[0] + 3 * e[2] + e[3] + ((energy0[x] + unit) >> unit)) // 9
                self.scale = half(scale)
                mean = self.mean.predict(
                    [tap(q, x - 1) if x else 0.0, tap(q_n, x), tap(q_u, x), tap(q, x - 2), tap(q_nn, x), tap(q_uu, x),
                     tap(q_n, x - 1), tap(q_n, x + 1), tap(q_u, x - 1), tap(q_u, x + 1), tap(q_un, x), tap(q_us, x)])
                if unit:
                    mean = int((mean + quantiser * min(max(mean, -16), 16)) / 2)
                first_mean = mean
                if energy > 128 and 2 * scale < energy:
                    base = (mean + 8) >> 4
                    mean -= 16 * base
                    total, self.c, self.e = scale, 11, lg(scale)
            if self.prior:
                shift = 0
                while total >> shift > 128:
                    shift += 1
                sums = (north, north2, up, parent, sibling, time)
                f = self.features(i, at, x, sums, energy, run, scale, mean, shift, base != 0)
                self.logits = [int(v) for v in ask(self.prior, f, class_of(band) * 8 + (band.high >> 2 & 7) + 96 * (unit and 1 + quantiser))]
            if self.symbols:
                value = self.value_of_symbol(band, q, q_n, q_u, x)
            else:
                value = base + self.value(band, q, q_n, q_u, x, total, mean)
            integer = min(max(value, -most), most)
            if best:
                error[x + shown] = min(abs(16 * integer - first_mean), 4000)
            value = integer if not unit else 2 * integer - quantiser * ((integer > 0) - (integer < 0))
            if best:
                self.mean.update(value, sum_of_values)
            q[x] = value
            if by_turns:
                state = NEXT_STATE[state][abs(integer) & 1]
            magnitude = min(abs(value), 255)
            m[x] = magnitude
            run = min((run * 7 >> 3) + 16 * magnitude, 8000)
            ww, w = w, magnitude


def undo_differences(q):
    """8.1, lowest band."""
    v = q.reshape(-1, q.shape[3], q.shape[4])
    for z in range(v.shape[0]):
        for y in range(v.shape[1]):
            for x in range(v.shape[2]):
                if x and y:
                    p = int(v[z, y, x - 1]) + int(v[z, y - 1, x]) - int(v[z, y - 1, x - 1])
                    p = (p + (1 << 31)) % (1 << 32) - (1 << 31)
                else:
                    p = v[z, y, x - 1] if x else v[z, y - 1, x] if y else v[z - 1, 0, 0] if z else 0
                if abs(int(v[z, y, x]) + int(p)) > LARGEST:
                    raise Corrupt("lowest band")
                v[z, y, x] += p


def decode(bands, tier, r, prior=None):
    """All that is left of r. Returns an int64 array for each band."""
    q = [np.zeros(b.dim, np.int64) for b in bands]
    total, rows = sum(b.count for b in bands), max(b.dim[3] for b in bands)
    n_blocks = min(max(min(total >> 20, rows // 8), 1), 64)
    sizes = [r.varint() for _ in range(n_blocks - 1)]
    for i in range(n_blocks):
        data = r.bytes(sizes[i]) if i + 1 < n_blocks else r.rest()
        if tier != STATIC:  # with TRELLIS too
            Block(bands, q, tier, i, n_blocks, data, prior).run()
        elif data[:1] == b"\1":
            Block(bands, q, AVERAGE, i, n_blocks, data[1:]).run()
        elif data[:1] == b"\0":
            static.Block(bands, [class_of(b) for b in bands], q, i, n_blocks, data[1:]).run()
        else:
            raise Corrupt("kind of a block")
    for band, v in zip(bands, q):
        if band.is_low:
            undo_differences(v)
    return q


def dequantise(q, step, centres, real):
    """8.6: one band. centres[busy][size]."""
    def clipped(v):
        return np.minimum(np.abs(v), 7)

    west, east = np.concatenate([q[..., :1], q[..., :-1]], -1), np.concatenate([q[..., 1:], q[..., -1:]], -1)
    north = np.concatenate([q[..., :1, :], q[..., :-1, :]], -2)
    south = np.concatenate([q[..., 1:, :], q[..., -1:, :]], -2)
    b = clipped(west) + clipped(east) + clipped(north) + clipped(south)
    busy = (b > 1).astype(int) + (b > 5)
    table = np.zeros((3, 4), real)
    table[:, 1:] = np.array(centres, real) * real(2.0 ** -8)
    m = (np.abs(q).astype(real) + table[busy, np.minimum(np.abs(q), 3)]) * real(step)
    return np.where(q < 0, -m, m)
