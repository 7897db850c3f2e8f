# SPDX-License-Identifier: Apache-2.0
"""Inverse transforms, docs/format.md 6."""
import itertools
import math
from fractions import Fraction

import numpy as np

from .bits import Unsupported, require
from .coefficients import Band

NONE, W, P, D, F, K, V, Q = range(8)


def size(n, k):
    for _ in range(k):
        n = (n + 1) // 2
    return n


def factors(n):
    out, p = [], 2
    while n > 1:
        while n % p == 0:
            out.append(p)
            n //= p
        p += 1
    return out


class Plan:
    """6.1"""

    def __init__(self, r, dim):
        self.dim = list(dim)
        head = [r.u8() for _ in dim]
        kinds, self.levels = [h & 15 for h in head], [h >> 4 for h in head]
        if max(kinds) > Q:
            raise Unsupported("transform")
        self.is_long = [k in (V, Q) for k in kinds]
        self.kind = [{V: W, Q: P}.get(k, k) for k in kinds]
        for n, kind, levels in zip(dim, self.kind, self.levels):
            require(levels <= 12 if kind in (W, P) else levels == 0, "levels")
            if kind in (D, F):
                require(n <= 4096 and (n <= 256 or max(factors(n)) <= 127), "length")
            require(kind != K or n <= 128, "length of a K axis")
        self.rows = {a: read_vectors(r, dim[a]) for a, kind in enumerate(self.kind) if kind == K}

    def allows(self, scale):
        return all(k == NONE or (k in (W, P) and n >= scale) for k, n in zip(self.kind, self.levels))

    def coarsen(self, scale):
        """5.6: drop the finest levels; returns the factor that makes up for their gain."""
        h = sum(size(n, k) > 1 for n, kind in zip(self.dim, self.kind) if kind != NONE for k in range(scale))
        self.dim = [size(n, scale) if k != NONE else n for n, k in zip(self.dim, self.kind)]
        self.levels = [n - scale if k != NONE else 0 for n, k in zip(self.levels, self.kind)]
        return 2.0 ** -(h // 2) * (0.7071067811865476 if h & 1 else 1.0)

    def bands(self):
        """6.7"""
        out = sorted(self._boxes(), key=_order)
        require(len(out) <= 1024, "bands")
        index = {(b.w, b.p): i for i, b in enumerate(out)}
        shift = 5 - len(self.dim)
        for i, b in enumerate(out):
            b.is_low = b.lowest and not any(k in (D, F, K) for k in self.kind)
            if b.w[1]:
                b.parent = index.get(((b.w[0] + 1, b.w[1]), b.p), -1)
                if b.parent >= 0:
                    b.parent_half = sum(1 << (a + shift) for a, k in enumerate(self.kind)
                                        if k == W and self.levels[a] > b.w[0] + 1)
            self._time_parent(b, index, out, shift)
            for j in range(i):
                c = out[j]
                if (b.w[1] and c.w[1] and c.w[0] == b.w[0] and c.p == b.p and len(b.siblings) < 6
                        and all(abs(m - n) <= 1 for m, n in zip(b.dim, c.dim))):
                    b.siblings.append(j)
        return out

    def _time_parent(self, b, index, out, shift):
        for at, (axis, depth, high) in enumerate(b.p):
            if not high:
                continue
            p = list(b.p)
            is_last = depth == self.levels[axis]
            p[at] = (axis, depth, 0) if is_last else (axis, depth + 1, 1)
            j = index.get((b.w, tuple(p)), -1)
            if j >= 0 and not out[j].lowest:
                b.time_parent, b.time_half = j, 0 if is_last else 1 << (axis + shift)
            return

    def _boxes(self):
        axes, shift = range(len(self.dim)), 5 - len(self.dim)
        w = [a for a in axes if self.kind[a] == W]
        top = max([self.levels[a] for a in w] + [0])
        w_boxes = [(top, ())]
        for k in range(top):
            some = [a for a in w if self.levels[a] > k]
            w_boxes += [(k, h) for n in range(1, len(some) + 1) for h in itertools.combinations(some, n)]
        p_parts = [[(a, self.levels[a], 0)] + [(a, k + 1, 1) for k in range(self.levels[a])]
                   for a in axes if self.kind[a] == P]
        for box in w_boxes:
            for p in itertools.product(*p_parts):
                b = self._box(box, p, shift)
                if b.count:
                    yield b

    def _box(self, w, p, shift):
        k, h = w
        origin, dim, depth, high = [0] * len(self.dim), list(self.dim), [0] * len(self.dim), 0
        for a, n in enumerate(self.dim):
            if self.kind[a] == W:
                depth[a] = min(k + 1, self.levels[a]) if h else self.levels[a]
                dim[a] = size(n, depth[a])
                if a in h:
                    origin[a], dim[a], high = size(n, k + 1), size(n, k) - size(n, k + 1), high | 1 << (a + shift)
        for a, d, is_high in p:
            depth[a], dim[a] = d, size(self.dim[a], d)
            if is_high:
                origin[a], dim[a] = size(self.dim[a], d), size(self.dim[a], d - 1) - size(self.dim[a], d)
                high |= 1 << (a + shift)
        level = k
        if W not in self.kind:
            level = min([depth[a] - (high >> (a + shift) & 1) for a in range(len(depth)) if depth[a]] + [99])
            level = 0 if level == 99 else level
        b = Band((1,) * shift + tuple(dim), level=level, high=high, origin=tuple(origin))
        b.w, b.p, b.depth, b.lowest = w, p, depth, not high
        b.box = tuple(slice(o, o + n) for o, n in zip(origin, dim))
        return b


def _order(b):
    return not b.lowest, -sum(b.depth), bin(b.high).count("1"), [-d for d in b.depth], b.high


def lift(x, axis, is_long):
    """6.2: undo one halving of all lines along an axis, in place."""
    x = np.moveaxis(x, axis, 0)
    n, real = x.shape[0], x.dtype.type
    if n < 2:
        return
    h = (n + 1) // 2
    low, high = (0.8493343039453084, 1.1773926890210635) if is_long else (0.8698644516247814, 1.149604398860241)
    e, o = x[:h] * real(low), x[h:] * real(high)

    def evens():
        return e[:len(o)] + np.concatenate([e[1:], e[-1:]])[:len(o)]

    def odds():
        right = np.concatenate([o, o[-1:]]) if n % 2 else o
        return np.concatenate([o[:1], right[:-1]])[:h] + right[:h]

    def far_evens(step):
        place = 2 * np.arange(len(o)) + 1 + step
        while (place < 0).any() or (place > n - 1).any():
            place = np.abs(place)
            place = np.where(place > n - 1, 2 * (n - 1) - place, place)
        return e[place // 2]

    if is_long:
        e = e + real(-0.5960460178736385) * odds()
        o = o + real(0.34731563154547634) * evens()
        e = e + real(-0.31872619353413617) * odds()
        o = o + real(-0.5237261670450993) * evens()
        e = e + real(0.35549341099661125) * odds()
        o = o + real(-0.2569054506387527) * (far_evens(-3) + far_evens(3))
        o = o + real(-0.5756357312941214) * evens()
        e = e + real(-0.10357957537218564) * odds()
        o = o + real(1.0694593434126969) * evens()
    else:
        e = e + real(-0.443506852043971) * odds()
        o = o + real(-0.882911075530934) * evens()
        e = e + real(0.052980118572961) * odds()
        o = o + real(1.586134342059924) * evens()
    x[0::2], x[1::2] = e, o


def cos_sin(k, n):
    """6.3"""
    hi, lo = float.fromhex("0x1.921fb54p-1"), float.fromhex("0x1.10b4611a62633p-31")
    c = float.fromhex("0x1.8p22")
    octant = 8 * k // n
    rest = 8 * k - octant * n
    r, n = float(n - rest if octant & 1 else rest), float(n)
    w = r * hi
    y_hi = ((w / n) + c) - c
    y_lo = ((w - y_hi * n) / n) + ((r * lo) / n)
    y = y_hi + y_lo
    z = y * y

    def horner(a):
        v = a(8)
        for i in range(7, 0, -1):
            v = a(i) + z * v
        return v

    s = y_hi + (y_lo + y * (z * horner(lambda i: float(Fraction((-1) ** i, math.factorial(2 * i + 1))))))
    t = 1 + z * horner(lambda i: float(Fraction((-1) ** i, math.factorial(2 * i))))
    co, si = (s, t) if octant in (1, 2, 5, 6) else (t, s)
    return (-co if 2 <= octant <= 5 else co), (-si if octant >= 4 else si)


def _add(a, b):
    return a[0] + b[0], a[1] + b[1]


def _sub(a, b):
    return a[0] - b[0], a[1] - b[1]


def _butterfly(a, r, n, w, real):
    if r == 2:
        return [_add(*a), _sub(*a)]
    if r == 4:
        p, q, s, t = _add(a[0], a[2]), _sub(a[0], a[2]), _add(a[1], a[3]), _sub(a[1], a[3])
        return [_add(p, s), (q[0] + t[1], q[1] - t[0]), _sub(p, s), (q[0] - t[1], q[1] + t[0])]
    b, middle = [None] * r, (r - 1) // 2
    u = {j: _add(a[j], a[r - j]) for j in range(1, middle + 1)}
    v = {j: _sub(a[j], a[r - j]) for j in range(1, middle + 1)}
    b[0] = a[0]
    for j in u:
        b[0] = _add(b[0], u[j])
    for k in range(1, middle + 1):
        (er, ei), o_r, o_i = a[0], real(0), real(0)
        for j in range(1, middle + 1):
            c, d = w[(j * k % r) * n // r]
            er, ei = er + c * u[j][0], ei + c * u[j][1]
            o_r, o_i = o_r + d * v[j][0], o_i + d * v[j][1]
        b[k], b[r - k] = (er - o_i, ei + o_r), (er + o_i, ei - o_r)
    return b


def fourier(re, im):
    """6.4, along axis 0."""
    n, real = len(re), re.dtype.type
    prime = factors(n)
    twos = prime.count(2)
    w = [(real(c), real(-s)) for c, s in (cos_sin(k, n) for k in range(n))]
    s, left = 1, n
    for r in [4] * (twos // 2) + [2] * (twos % 2) + [p for p in prime if p > 2]:
        m = left // r
        out_re, out_im = np.empty_like(re), np.empty_like(im)
        for p in range(m):
            for q in range(s):
                a = [(re[q + s * (p + m * j)], im[q + s * (p + m * j)]) for j in range(r)]
                for k, b in enumerate(_butterfly(a, r, n, w, real)):
                    if p and k:
                        t = w[p * k * s]
                        b = (b[0] * t[0] - b[1] * t[1], b[0] * t[1] + b[1] * t[0])
                    out_re[q + s * (r * p + k)], out_im[q + s * (r * p + k)] = b
        re, im, left, s = out_re, out_im, m, s * r
    return re, im


def _matrix(n, kind):
    g, m = math.sqrt(2.0 / n), np.empty((n, n))
    for k in range(n):
        for i in range(n):
            if k == 0:
                m[k, i] = math.sqrt(1.0 / n)
            elif kind == D:
                m[k, i] = g * cos_sin((2 * i + 1) * k % (4 * n), 4 * n)[0]
            else:
                f = (k + 1) // 2
                c, s = cos_sin(4 * f * i % (4 * n), 4 * n)
                if 2 * f == n:
                    m[k, i] = -math.sqrt(1.0 / n) if i % 2 else math.sqrt(1.0 / n)
                else:
                    m[k, i] = g * c if k % 2 else -g * s
    return m


def product(matrix, lines):
    """x[i] = (M[0][i] c[0] + M[1][i] c[1]) + ..."""
    out = np.empty_like(lines)
    for i in range(len(lines)):
        v = matrix[0, i] * lines[0]
        for k in range(1, len(lines)):
            v = v + matrix[k, i] * lines[k]
        out[i] = v
    return out


def _spectrum(a, b, kind):
    """6.5: Z of the pairs (A, B)."""
    n, real = len(a), a.dtype.type
    first, g = real(math.sqrt(1.0 / n)), math.sqrt(1.0 / (2 * n))
    gain, re, im = real(g), np.empty_like(a), np.empty_like(a)
    re[0], im[0] = first * a[0], first * b[0]
    for k in range(1, (n - 1) // 2 + 1):
        if kind == F:
            p, p2, q, q2 = a[2 * k - 1], a[2 * k], b[2 * k - 1], b[2 * k]
            re[k], im[k], re[n - k], im[n - k] = gain * (p - q2), gain * (p2 + q), gain * (p + q2), gain * (q - p2)
        else:
            c, s = (real(g * v) for v in cos_sin(k, 4 * n))
            ar, ai = c * a[k] + s * a[n - k], s * a[k] - c * a[n - k]
            br, bi = c * b[k] + s * b[n - k], s * b[k] - c * b[n - k]
            re[k], im[k], re[n - k], im[n - k] = ar - bi, ai + br, ar + bi, br - ai
    if n % 2 == 0:
        i = n // 2 if kind == D else n - 1
        re[n // 2], im[n // 2] = first * a[i], first * b[i]
    return re, im


def spectral(x, axis, kind):
    y = np.moveaxis(x, axis, 0)
    n = y.shape[0]
    lines = y.reshape(n, -1).copy()
    count = lines.shape[1]
    if n <= 16 or max(factors(n)) > 127:
        out = product(_matrix(n, kind).astype(lines.dtype), lines)
    else:
        padded = np.concatenate([lines, np.zeros((n, -count % 32), lines.dtype)], 1).reshape(n, -1, 2, 16)
        re, im = _spectrum(padded[:, :, 0].reshape(n, -1), padded[:, :, 1].reshape(n, -1), kind)
        im, re = fourier(im, re)
        if kind == D:
            place = [2 * i if i < (n + 1) // 2 else 2 * (n - 1 - i) + 1 for i in range(n)]
            re2, im2 = np.empty_like(re), np.empty_like(im)
            re2[place], im2[place] = re, im
            re, im = re2, im2
        out = np.stack([re.reshape(n, -1, 16), im.reshape(n, -1, 16)], 2).reshape(n, -1)[:, :count]
    y[...] = out.reshape(y.shape)


def read_vectors(r, n):
    """6.6, the integers."""
    n_rows, state = r.u8(), [0, 0]
    require(n_rows <= n, "vectors")

    def bits(count):
        v = 0
        for i in range(count):
            if state[1] == 0:
                state[:] = [r.u8(), 8]
            v |= (state[0] & 1) << i
            state[:] = [state[0] >> 1, state[1] - 1]
        return v

    rows = []
    for _ in range(n_rows):
        order, k, row = bits(2), bits(4), []
        require(order < 3, "order")
        for i in range(n):
            q = 0
            while q < 20 and bits(1):
                q += 1
            v = (q << k) + bits(k) if q < 20 else bits(18)
            expected = 0 if order == 0 or i == 0 else row[-1] if order == 1 or i == 1 else 2 * row[-1] - row[-2]
            row.append(expected + (-((v + 1) // 2) if v & 1 else v // 2))
            require(-32768 <= row[-1] <= 32767, "number of a vector")
        require(any(row), "vector of zeros")
        rows.append(row)
    require(state[0] == 0, "padding")
    return rows


def _squares(v):
    s = 0.0
    for x in v:
        s = s + x * x
    return s


def basis(rows, n):
    vectors = []
    for row in rows:
        length = math.sqrt(_squares([float(v) for v in row]))
        vectors.append([float(v) / length for v in row])
    rest = [[float(i == k) for k in range(n)] for i in range(n)]

    def take(q):
        for i in range(n):
            for k in range(n):
                rest[i][k] = rest[i][k] - q[i] * q[k]

    if len(vectors) < n:
        for b in vectors:
            q = []
            for i in range(n):
                s = 0.0
                for k in range(n):
                    s = s + rest[i][k] * b[k]
                q.append(s)
            if _squares(q) > 2.0 ** -20:
                length = math.sqrt(_squares(q))
                take([v / length for v in q])
    while len(vectors) < n:
        i = max(range(n), key=lambda j: (rest[j][j], -j))
        length = math.sqrt(_squares(rest[i]))
        vectors.append([v / length for v in rest[i]])
        take(vectors[-1])
    return np.array(vectors)


def inverse(x, plan):
    """In place, coefficients where the halvings left them."""
    wavelet, dim = [a for a in range(x.ndim) if plan.kind[a] == W], plan.dim
    for k in range(max([plan.levels[a] for a in wavelet] + [0]) - 1, -1, -1):
        box = tuple(slice(0, size(dim[a], min(k, plan.levels[a])) if a in wavelet else None) for a in range(x.ndim))
        for a in wavelet:
            if plan.levels[a] > k:
                lift(x[box], a, plan.is_long[a])
    for a in range(x.ndim - 1, -1, -1):
        if plan.kind[a] == P:
            for k in range(plan.levels[a] - 1, -1, -1):
                box = [slice(None)] * x.ndim
                box[a] = slice(0, size(dim[a], k))
                lift(x[tuple(box)], a, plan.is_long[a])
        elif plan.kind[a] in (D, F):
            spectral(x, a, plan.kind[a])
        elif plan.kind[a] == K:
            y = np.moveaxis(x, a, 0)
            m = basis(plan.rows[a], dim[a]).astype(x.dtype)
            y[...] = product(m, y.copy())
