# SPDX-License-Identifier: Apache-2.0
"""Interpolation and Lorenzo prediction, docs/format.md 7."""
import itertools
import math

import numpy as np

from .bits import require
from .coefficients import Band

MAX_TAPS = 20


def _mask(axes):
    return sum(1 << a for a in axes)


def _is_earlier(d):
    for v in d:
        if v:
            return v < 0
    return False


class Level:
    """7.2: grid, active axes and cosets of one level."""

    def __init__(self, plan, level):
        self.grid = [-(-n // 2 ** level) if a in plan.smooth else n for a, n in enumerate(plan.dim)]
        self.active = [a for a in plan.order if self.grid[a] > 1]
        self.odd, self.dim = [], []
        for c in range(1 << len(self.active)):
            odd = frozenset(a for k, a in enumerate(self.active) if c >> k & 1)
            self.odd.append(odd)
            self.dim.append(tuple(n if a not in self.active else n // 2 if a in odd else (n + 1) // 2
                                  for a, n in enumerate(self.grid)))
        self.number = {odd: c for c, odd in enumerate(self.odd)}

    def source(self, c, d):
        return self.number[self.odd[c] ^ frozenset(a for a in range(5) if d[a] & 1)]

    def taps(self, c):
        """7.4: (taps, number of line taps)."""
        out, odd, active = [], sorted(self.odd[c]), sorted(self.active)

        def offset(*parts):
            d = [0] * 5
            for a, v in parts:
                d[a] = v
            return d

        def add(*parts):
            d = offset(*parts)
            if self.source(c, d) < c and len(out) < MAX_TAPS:
                out.append(d)

        for step in (1, 3):
            for a in odd:
                add((a, step))
        line = len(out)
        for a, b in itertools.combinations(active, 2):
            for sign in (-1, 1):
                add((a, 1), (b, sign))
        for a in odd:
            for b in active:
                if b != a and not self.source(c, offset((a, 1), (b, 1))) < c:
                    add((a, 1), (b, -2))
                    add((a, 1), (b, 2))
        if len(active) == 3:
            a, b, e = active
            for s, t in ((1, 1), (-1, 1), (1, -1), (-1, -1)):
                add((a, 1), (b, s), (e, t))
        return out, line


class Plan:
    """7.1"""

    def __init__(self, r, dim, real):
        rank = len(dim)
        self.real, self.dim = real, (1,) * (5 - rank) + tuple(dim)
        self.predictor = r.u8()
        require(self.predictor <= 3, "predictor")
        unlike, self.base = r.u8(), r.f64()
        require(unlike >> rank == 0 and math.isfinite(self.base), "plan")
        self.smooth = [a for a, n in enumerate(self.dim)
                       if n > 1 and not (a >= 5 - rank and unlike >> (a - 5 + rank) & 1)]
        require(self.predictor != 2 or len(self.smooth) <= 3, "Lorenzo 2 of four axes")
        if self.predictor == 0:
            self._read_pyramid(r)
        else:
            self._read_raster(r)

    def _read_pyramid(self, r):
        self.n_levels = r.u8()
        require(self.n_levels <= 14, "levels")
        pairs = [r.u8() for _ in self.smooth]
        self.order, self.share = [v & 15 for v in pairs], {v & 15: v >> 4 for v in pairs}
        require(sorted(self.order) == self.smooth, "order of axes")
        self.level = [Level(self, k) for k in range(self.n_levels + 1)]
        self.weights = {}
        for k in range(self.n_levels):
            self._read_weights(r, k)

    def fixed(self, taps, line):
        w, axes = [0] * len(taps), [next(a for a in range(5) if d[a]) for d in taps[:line // 2]]
        total = sum(2 ** self.share[a] for a in axes)
        s = [256 * 2 ** self.share[a] // total for a in axes]
        for i, v in enumerate(s):
            w[i], w[line // 2 + i] = 9 * v, -v
        w[0] += 2048 - 8 * sum(s)
        return w

    def _read_weights(self, r, k):
        level = self.level[k]
        n, sets = len(level.odd), []
        if k < 4:
            for c in range(1, n, 4):
                byte = r.u8()
                sets += [byte >> i & 3 for i in (0, 2, 4, 6)]
            require(not any(sets[n - 1:]) and 3 not in sets, "tap sets")
        for c in range(1, n):
            taps, line = level.taps(c)
            w, kind = self.fixed(taps, line), sets[c - 1] if k < 4 else 0
            if kind:
                w = w[:line] if kind == 1 else w
                for j in range(1, len(w)):
                    w[j] += r.svarint()
                w[0] = 2048 - sum(w[1:])
                require(all(-32768 <= v <= 32767 for v in w), "weight")
            else:
                w = w[:line]
            self.weights[k, c] = list(zip(taps, w))

    def _read_raster(self, r):
        smooth, n, self.taps = self.smooth, len(self.smooth), []

        def digits(number, base):
            out = []
            for _ in smooth:
                out.append(number % base)
                number //= base
            return out

        def offset(axes, steps):
            d = [0] * 5
            for a, v in zip(axes, steps):
                d[a] = v
            return d

        if self.predictor < 3:
            factor = ((1, -1), (1, -2, 1))[self.predictor - 1]
            for number in range((self.predictor + 1) ** n - 1, 0, -1):
                steps = digits(number, self.predictor + 1)
                self.taps.append((offset(smooth, [-s for s in steps]), -4096 * math.prod(factor[s] for s in steps)))
        else:
            for number in range(3 ** n):
                d = offset(smooth, [s - 1 for s in digits(number, 3)])
                if _is_earlier(d) and sum(v != 0 for v in d) <= (2 if n > 3 else 3):
                    self.taps.append((d, 0))
            self.taps += [(offset([a], [-2]), 0) for a in smooth]
            if n in (2, 3):
                self.taps += [(offset(smooth[-2:], s), 0) for s in ((-1, -2), (-1, 2), (-2, -1), (-2, 1), (0, -3))]
            if n == 1:
                self.taps += [(offset(smooth, [s]), 0) for s in (-3, -4)]
            self.taps = self.taps[:32]
        self.taps.sort(key=lambda t: 0 if any(t[0][:4]) else 2 if t[0][4] == -1 else 1)
        if self.predictor == 3 and self.taps:
            w = [r.svarint() for _ in self.taps[1:]]
            w.append(4096 - sum(w))
            require(all(-32768 <= v <= 32767 for v in w), "weight")
            self.taps = [(d, v) for (d, _), v in zip(self.taps, w)]

    def bands(self):
        if self.predictor:
            return [Band(self.dim)]
        out, coarser, coarser_first = [Band(tuple(self.level[-1].grid), level=self.n_levels)], None, 0
        for k in range(self.n_levels - 1, -1, -1):
            level, first = self.level[k], len(out)
            for c in range(1, len(level.odd)):
                b = Band(level.dim[c], level=k, high=_mask(level.odd[c]))
                if coarser and level.odd[c] <= set(coarser.active):
                    b.parent = coarser_first + coarser.number[level.odd[c]] - 1
                    b.parent_half = _mask(level.active)
                b.siblings = [first + i - 1 for i in range(max(1, c - 6), c)
                              if all(abs(m - n) <= 1 for m, n in zip(b.dim, level.dim[i]))]
                out.append(b)
            coarser, coarser_first = level, first
        return out

    def sample(self, p, q, step):
        v = self.real(np.float64(p) + np.float64(q) * np.float64(step))
        return v if np.isfinite(v) else self.real(0)

    def edge(self, r, at):
        """7.5"""
        back = [a for a in (4, 3, 2, 1, 0) if a in self.smooth and at[a] > 0]
        if not back:
            return self.real(self.base)
        p = self.real(0)
        for m in range(1, 1 << len(back)):
            i = list(at)
            for k, a in enumerate(back):
                i[a] -= m >> k & 1
            v = r[tuple(i)]
            p = p + v if bin(m).count("1") & 1 else p - v
        return p

    def decode(self, q, step):
        """q: one array for each band."""
        r = self._raster(q[0], step) if self.predictor else self._pyramid(q, step)
        return r

    def _raster(self, q, step):
        dim, real = self.dim, self.real
        r = np.zeros(dim, real)
        left, right = max([0] + [-d[4] for d, _ in self.taps]), max([0] + [d[4] for d, _ in self.taps])
        taps = [(d, real(w) / real(4096)) for d, w in self.taps]
        for row in itertools.product(*map(range, dim[:4])):
            inner = bool(taps) and dim[4] > left + right and all(
                0 <= row[a] + d[a] < dim[a] for d, _ in taps for a in range(4))
            for x in range(dim[4]):
                at = row + (x,)
                if inner and left <= x < dim[4] - right:
                    p = real(0)
                    for d, w in taps:
                        p = p + w * r[at[0] + d[0], at[1] + d[1], at[2] + d[2], at[3] + d[3], x + d[4]]
                else:
                    p = self.edge(r, at)
                r[at] = self.sample(p, q[at], step)
        return r

    def _pyramid(self, q, step):
        grid = np.zeros(q[0].shape, self.real)
        for at in itertools.product(*map(range, grid.shape)):
            grid[at] = self.sample(self.edge(grid, at), q[0][at], step)
        band = 1
        for k in range(self.n_levels - 1, -1, -1):
            level = self.level[k]
            cosets = [grid]
            for c in range(1, len(level.odd)):
                cosets.append(self._coset(level, k, c, cosets, q[band], step))
                band += 1
            grid = np.zeros(level.grid, self.real)
            for odd, part in zip(level.odd, cosets):
                grid[tuple(slice(1 if a in odd else 0, None, 2) if a in level.active else slice(None)
                           for a in range(5))] = part
        return grid

    def _coset(self, level, k, c, cosets, q, step):
        real, out, places = self.real, np.zeros(level.dim[c], self.real), []
        for d, w in self.weights[k, c]:
            places.append((d, real(w) / real(4096)))
        for at in itertools.product(*map(range, level.dim[c])):
            p = real(0)
            for d, w in places:
                low = self._value(level, c, cosets, at, [-v for v in d])
                p = p + w * (low + self._value(level, c, cosets, at, d))
            out[at] = self.sample(p, q[at], step)
        return out

    def _value(self, level, c, cosets, at, d):
        """7.4: v(d)"""
        real, odd, s = self.real, level.odd[c], level.source(c, d)
        source, n = cosets[s], cosets[s].shape
        i = [at[a] + (d[a] + (a in odd) - (a in level.odd[s])) // 2 if a in level.active else at[a] for a in range(5)]
        if all(0 <= i[a] < n[a] for a in range(5)):
            return source[tuple(i)]
        entries = [((), real(1))]
        for a in (3, 2, 1, 0):
            if (i[a] < 0 or i[a] >= n[a]) and n[a] > 1:
                end, inner = (0, 1) if i[a] < 0 else (n[a] - 1, n[a] - 2)
                far = abs(i[a] - end)
                entries = [((end,) + at, f * real(1 + far)) for at, f in entries] + \
                          [((inner,) + at, real(-far) * f) for at, f in entries]
            else:
                entries = [((min(max(i[a], 0), n[a] - 1),) + at, f) for at, f in entries]

        def row(x):
            if len(entries) == 1:
                return source[entries[0][0] + (x,)]
            v = entries[0][1] * source[entries[0][0] + (x,)]
            for at, f in entries[1:]:
                v = v + f * source[at + (x,)]
            return v

        if 0 <= i[4] < n[4]:
            return row(i[4])
        if n[4] == 1:
            return row(0)
        end, inner = (0, 1) if i[4] < 0 else (n[4] - 1, n[4] - 2)
        value = row(end)
        return value + real(abs(i[4] - end)) * (value - row(inner))
