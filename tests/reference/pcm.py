# SPDX-License-Identifier: Apache-2.0
"""Predictive coding of symbols, docs/format.md 9.3 (views), 9.4, 9.6, 9.7."""
import math

import numpy as np

from .bits import M64, STRETCH, Decoder, learn, prob, require, squash
from .lattice import INT, TABLE
from .ols import Ols

EQUAL, LOW, ORDINAL, FAST, STRONG = 1, 2, 4, 8, 16
LEFT, RIGHT, TOP = 8, 4, 2
F = np.float32
ZERO, HALF = F(0), F(0.5)


def axes_of(code):
    left, out = [0, 1, 2, 3], []
    for digit in (code // 6, code // 2 % 3, code % 2):
        out.append(left.pop(digit))
    return out + left


class View:
    """9.3: how samples are visited."""

    def __init__(self, code, dim):
        require(code & ~32 < 24, "view")
        self.join = code >> 5
        dim = [n for n in dim if n > 1] or [1]
        self.rank = len(dim)
        if len(dim) == 5:
            dim = [dim[0] * dim[1]] + dim[2:]
        self.n4 = [1] * (4 - len(dim)) + dim
        self.order = axes_of(code & 31)
        stride = [math.prod(self.n4[i + 1:]) for i in range(4)]
        self.n = [self.n4[a] for a in self.order]
        if self.join:
            a, t = self.order[:2]
            require(stride[a] == self.n4[t] * stride[t], "view")
            self.n = [1, self.n[0] * self.n[1]] + self.n[2:]

    def visit(self, x):
        """Memory order to visiting order."""
        return np.asarray(x).reshape(self.n4).transpose(self.order).reshape(self.n)

    def back(self, x):
        x = np.asarray(x).reshape([self.n4[a] for a in self.order])
        return x.transpose(np.argsort(self.order)).ravel()

    def place(self, axis):
        """The view's axis of an axis of the dropped shape, or None."""
        from_end = self.rank - 1 - axis
        if self.rank == 5 and axis < 2:
            return None
        i = self.order.index(3 - from_end)
        return None if self.join and i < 2 else i


def log16(f):
    return int(F(f).view(np.uint32)) >> 19


def level(d, g):
    q = log16(abs(F(d))) - g
    m = int(q >= -32) + int(q >= -8) + int(q >= 16)
    return 3 - m if d < 0 else 3 + m


def clamp(v, lo, hi):
    return min(max(v, lo), hi)


def sign(e):
    return 0 if e < 0 else 2 if e > 0 else 1


def fixed(v, e2):
    m, e = math.frexp(v)
    m, e = int(m * 2.0 ** 53), e - 53 - e2
    return (m << e) & M64 if 0 <= e < 64 else 0 if e >= 64 else (m >> -e) & M64


class Stage:
    def __init__(self, n):
        self.ols, self.quick, self.learnt = Ols(n), Ols(n), 0


class Plane:
    def __init__(self, ny, pw):
        self.v = [0.0] * (pw * (ny + 3))
        self.e = [ZERO] * (pw * (ny + 3))
        self.r = [0] * (pw * (ny + 3))


class Pcm:
    def __init__(self, data, view, lattice, flags, mask):
        self.d, self.view, self.lat, self.flags = Decoder(data), view, lattice, flags
        self.fast, self.strong = flags & FAST, flags & STRONG
        require(flags < 32 and not (self.fast and self.strong), "flags")
        self.nt, self.ny, self.nx = view.n[1:]
        self.pw = self.nx + LEFT + RIGHT
        self.is_line = self.nt == 1 and self.ny == 1
        self.mask = None if mask is None else view.visit(mask)
        self.ctx = [[prob(0.5)] * (n * 16) for n in (900, 864, 1372, 1024, 2400)]
        self.sign_ctx, self.low_ctx, self.eq_ctx = ([prob(0.5)] * n for n in (4096, 8192, 4096))
        self.mant = [prob(0.5)] * (150 * 32)
        self.rows = {}
        self.stages = {}
        self.run, self.history, self.shift = ZERO, 0, 0
        while (lattice.hi - lattice.lo) >> self.shift > 31:
            self.shift += 1
        self.pe_now, self.pe_up = ([[ZERO] * 5 for _ in range(self.pw)] for _ in range(2))

    def decode(self):
        """Symbols in memory order."""
        out = np.zeros(self.view.n, object)
        self.planes = []
        for a in range(self.view.n[0]):
            for t in range(self.nt):
                self.plane(a, t, out)
        self.d.check()
        return self.view.back(out)

    # --- planes and rows ---

    def taps(self, a, t):
        """((planes back, dy, dx), ...) far, then near."""
        cross = ((0, 0), (0, -1), (0, 1), (-1, 0), (1, 0))
        far = []
        if self.is_line:
            far += [(self.nt, 0, 0)] if a else []
        else:
            far += [(0, -1, -1), (0, -1, 1), (0, -2, 0), (0, -1, 2)]
            if t == 0 or self.strong:
                far += [(0, -1, -2), (0, -2, 1), (0, -2, -1)]
            if t == 0 and self.strong:
                far += [(0, -1, 3), (0, -1, -3), (0, -2, 2), (0, -2, -2)]
            if t > 0:
                far += [(1, y, x) for y in (-1, 0, 1) for x in (-1, 0, 1)]
            if t > 0 and self.strong:
                far += [(1, 0, 2), (1, 0, -2), (1, -2, 0)]
            if t > 1:
                far += [(2, y, x) for y, x in cross]
            if a:
                far += [(self.nt, y, x) for y, x in cross]
                far.append((self.nt - 1, 0, 0) if t + 1 < self.nt else (self.nt, -1, -1))
                if t:
                    far.append((self.nt + 1, 0, 0))
        n_near = 8 if self.is_line else 6 if self.strong else 2 if t else 3
        return far, [(0, 0, -i) for i in range(1, n_near + 1)]

    def plane(self, a, t, out):
        q, pw = len(self.planes), self.pw
        here = Plane(self.ny, pw)
        self.planes.append(here)
        self.up = self.planes[q - 1] if t else self.planes[q - self.nt] if a else None
        if self.up:
            for own, other in ((here.v, self.up.v), (here.e, self.up.e), (here.r, self.up.r)):
                own[:pw] = own[pw:2 * pw] = other[TOP * pw:(TOP + 1) * pw]
        far, near = self.taps(a, t)
        self.far = [(self.planes[q - p], dy * pw + dx) for p, dy, dx in far]
        self.near = [(here, dx) for _, _, dx in near]
        key = min(t, 2) + 3 * (a > 0)
        self.stage = self.stages.setdefault(key, Stage(len(far) + len(near)))
        self.here, self.t, self.since = here, t, 0
        for y in range(self.ny):
            at = (TOP + y) * pw + LEFT
            if self.lat.steps is not None:
                i = (a, t, y)[self.lat.axis]
                self.lat.step, self.lat.origin = self.lat.steps[i], self.lat.origins[i]
            lists = (here.v, here.e, here.r)
            for own in lists:
                own[at - LEFT:at] = own[at - pw - LEFT:at - pw]
            self.row(a, t, y, at, out)
            for own in lists:
                own[at - LEFT:at] = [own[at]] * LEFT
                own[at + self.nx:at + self.nx + RIGHT] = [own[at + self.nx - 1]] * RIGHT
            now = self.pe_now
            now[:LEFT] = [now[LEFT]] * LEFT
            now[LEFT + self.nx:] = [now[LEFT + self.nx - 1]] * RIGHT
            self.pe_now, self.pe_up = list(now[:LEFT]) + [None] * (pw - LEFT), now
        last = (TOP + self.ny - 1) * pw
        for own in (here.v, here.e, here.r):
            own[last + pw:last + 2 * pw] = own[last:last + pw]

    def row(self, a, t, y, at, out):
        x, v = 0, self.here.v
        while x < self.nx:
            n = min(8 if self.stage.learnt < 512 and not self.fast else 32, self.nx - x)
            base = [v[at + x - 1]] * n if self.is_line else [v[at + x + i - self.pw] for i in range(n)]
            weight = [None] * n
            for i in range(n):
                if self.mask is not None and self.mask[a, t, y, x + i]:
                    self.skip(at + x + i, x + i)
                else:
                    out[a, t, y, x + i], weight[i] = self.sample(at + x + i, x + i, base[i])
            if not self.fast:
                self.learn(at + x, n, base, weight)
            x += n

    def learn(self, at, n, base, weight):
        s, batch, v = self.stage, [], self.here.v
        for i in range(0, n, 1 if s.learnt < 512 or self.strong else 4):
            if weight[i] is None:
                continue
            w = 1.0 / float(weight[i])
            batch.append(
                ([(p.v[o + at + i] - base[i]) * w for p, o in self.far + self.near], (v[at + i] - base[i]) * w))
        s.ols.update(batch, 1.0 + (0.0005 if self.strong else 0.0006) * len(batch))
        if self.strong:
            s.quick.update(batch, 1.0 + 0.005 * len(batch))
        s.learnt += len(batch)
        self.since += n
        if self.since >= (64 if self.strong else 96) or s.learnt < 512:
            if s.ols.solve():
                s.learnt = 0
            if self.strong:
                s.quick.solve()
            self.since = 0

    def skip(self, at, x):
        h, pw = self.here, self.pw
        h.v[at] = 0.5 * (h.v[at - 1] + h.v[at - pw])
        h.e[at] = HALF * (h.e[at - 1] + h.e[at - pw])
        if self.lat.kind == TABLE:
            h.r[at] = self.lat.symbol(h.v[at])
        self.pe_now[x + LEFT] = list(self.pe_now[x + LEFT - 1])

    # --- one sample ---

    def least_squares(self, at, base, w):
        v, s = self.here.v, 0.0
        for (p, o), k in zip(self.far, w):
            s += k * (p.v[at + o] - base)
        p0 = base + s
        for i in range(len(self.near) - 1, -1, -1):
            p0 = p0 + w[len(self.far) + i] * (v[at - 1 - i] - base)
        return p0

    def predict(self, at, base):
        v, pw = self.here.v, self.pw
        p0 = self.least_squares(at, base, self.stage.ols.w)
        west, n, nw, ne = v[at - 1], v[at - pw], v[at - pw - 1], v[at - pw + 1]
        if self.is_line:
            d = west - v[at - 2]
            p = [p0, west + d, west + 0.5 * d, west]
            fast = west + (d + d) - (v[at - 2] - v[at - 3])
        elif self.t:
            u = self.up.v
            p = [p0, ((n - nw) + ((u[at] - u[at - 1]) - (u[at - pw] - u[at - pw - 1]))) + west,
                 (u[at] + 0.5 * ((n - u[at - pw]) - u[at - 1])) + 0.5 * west, u[at]]
            fast = (n - nw) + west
        else:
            p = [p0, (n - nw) + west, (0.5 * n + 0.25 * (ne - nw)) + 0.5 * west, west]
            fast = n
        if self.fast:
            p[0] = fast
        if self.strong:
            p.append(self.least_squares(at, base, self.stage.quick.w))
        return [k if math.isfinite(k) else 0.0 for k in p]

    def blend(self, pred, x):
        now, up, at = self.pe_now, self.pe_up, x + LEFT
        error = [(now[at - 1][k] + HALF * now[at - 2][k]) +
                 ((up[at][k] + HALF * (up[at - 1][k] + up[at + 1][k])) + F(1e-37)) for k in range(len(pred))]
        w = []
        for k in range(len(pred)):
            r = error[0] / error[k]
            r = r if r < F(1e9) else F(1e9)
            r = r * r
            w.append(r * r)
        if self.strong:
            w[0], w[4] = w[0] * F(8), w[4] * F(8)
        elif not self.fast:
            w[0] = w[0] * F(4)
        f = [float(k) for k in w]
        total, divisor = (f[0] * pred[0] + f[1] * pred[1]) + (f[2] * pred[2] + f[3] * pred[3]), (w[0] + w[1]) + (w[2] + w[3])
        if self.strong:
            total, divisor = total + f[4] * pred[4], divisor + w[4]
        p = total / float(divisor)
        return p if math.isfinite(p) else pred[3]

    def contexts(self, at):
        e, v, pw, up = self.here.e, self.here.v, self.pw, self.up
        west = abs(e[at - 1])
        s = F(2) * abs(e[at - pw]) + abs(e[at - pw + 1]) + (abs(e[at - pw - 1]) + abs(e[at - 2 * pw]))
        last = west
        if up:
            u, ue, us = abs(up.e[at]), abs(up.e[at + 1]), abs(up.e[at + pw])
            s = s + (F(2) * u + ue + (us + HALF * (abs(up.e[at - 1]) + abs(up.e[at - pw]))))
            last = HALF * u + F(0.25) * (ue + us)
        err = (s + (F(2) * west + abs(e[at - 2]))) * (F(1) / F(13) if up else F(0.125))
        self.xp = self.lat.symbol(self.p)
        self.ulp = self.lat.spacing(self.xp)
        err = (F(0.875) * err + F(0.125) * self.run) + F(0.03) * self.ulp
        err = err if err < F(1e38) else F(1e38)
        lg = self.lg = log16(err)
        rel = self.rel = clamp(lg - log16(self.ulp) + 96, 0, 1199)
        self.b = clamp((rel - 96) >> 4, 0, 62)
        self.set = min(self.b, 3)

        def relative(f):
            return clamp((log16(abs(f)) - lg + 40) >> 4, 0, 5)

        lw = relative(west)
        if self.fast:
            self.slot = [(rel >> 2) * 3 + (lw >> 1)]
            return err
        third = up.v[at] if up else v[at - pw + 1]
        self.around = ((level(F(v[at - 1] - self.p), lg) * 7 + level(F(v[at - pw] - self.p), lg)) * 7 +
                       level(F(third - self.p), lg)) * 4 + self.set
        self.slot = [rel >> 1, ((lw * 6 + relative(e[at - pw])) * 6 + relative(last)) * 4 + (rel >> 2 & 3), self.around]
        if self.strong:
            self.slot.append(((self.xp - self.lat.lo) >> self.shift) * 32 + min(rel >> 4, 31))
            self.slot.append(clamp((log16(self.run) - lg + 96) >> 3, 0, 15) * 150 + (rel >> 3))
        return err

    def sample(self, at, x, base):
        self.pred = self.predict(at, base)
        self.p = self.blend(self.pred, x)
        err = self.contexts(at)
        h = self.here
        symbol = self.equal(at) if self.flags & EQUAL else None
        if symbol is None:
            symbol = self.lat.clamp(self.residual(at))
        v = self.lat.number(symbol)
        v = v if math.isfinite(v) else self.p
        e = F(v - self.p)
        e = e if abs(e) < F(1e37) else F(1e37)
        h.v[at], h.e[at], h.r[at] = v, e, symbol
        self.run = self.run + (abs(e) - self.run) * F(0.03125)
        self.pe_now[x + LEFT] = [min(F(abs(v - k)), F(1e37)) for k in self.pred]
        return symbol, err + self.ulp

    # --- 9.7 ---

    def mixed(self, counters, row):
        w = self.rows.setdefault(row, [2560] * 8)
        s = [2 * STRETCH[t[i] >> 20] for t, i in counters] + [512]
        p = squash(sum(a * b for a, b in zip(s, w)) >> 14)
        bit = self.d.bit(p)
        err = ((bit << 16) - p) >> 1
        for i, v in enumerate(s):
            w[i] = clamp(w[i] + ((((v * err) >> 16) + 1) >> 1), -31000, 31000)
        for t, i in counters:
            learn(t, i, bit, 255)
        return bit

    def single(self, table, i):
        return self.d.adaptive(table, i, 255)

    def ask(self, node):
        if self.fast:
            return self.single(self.ctx[0], self.slot[0] * 16 + node)
        return self.mixed([(t, s * 16 + node) for t, s in zip(self.ctx, self.slot)], (self.set, node))

    def equal(self, at):
        v, pw, up = self.here.v, self.pw, self.up
        w, n, ne, nw = v[at - 1], v[at - pw], v[at - pw + 1], v[at - pw - 1]
        places = [(self.here, at - 1), (self.here, at - pw), (up, at) if up else (self.here, at - 2)]
        u = places[2][0].v[places[2][1]]
        if up:
            k = up.v
            m = (u == k[at - 1]) | (u == k[at - pw]) << 1 | (u == k[at + 1]) << 2 | (u == k[at + pw]) << 3
        else:
            m = (w == v[at - 2]) | (n == v[at - 2 * pw]) << 1
            m |= (ne == v[at - pw + 2]) << 2 | (nw == v[at - pw - 2]) << 3
        old = []
        for i, (plane, place) in enumerate(places):
            t = plane.v[place]
            x = plane.r[place] if self.lat.kind == TABLE else self.lat.symbol(t)
            if x in old:
                old.append(x)
                continue
            old.append(x)
            h = (t == w) | (t == n) << 1 | (t == ne) << 2 | (t == nw) << 3 | (t == u) << 4 | (x == self.xp) << 5
            index = [i * 64 + h, 256 + i * 128 + min(self.rel >> 2, 127), 1024 + i * 256 + (self.history & 255),
                     2048 + (i * 16 + m) * 8 + (h & 7)]
            hit = self.single(self.eq_ctx, index[0]) if self.fast else \
                self.mixed([(self.eq_ctx, j) for j in index], ("equal", i))
            self.history = self.history << 1 & 255 | hit
            if hit:
                return x
        return None

    def code_class(self):
        b = j = self.b
        if self.ask(0):
            j += 1
            while j < 64 and self.ask(min(j - b, 7)):
                j += 1
            return j
        while j > 0 and not self.ask(8 + min(b - j, 7)):
            j -= 1
        return j

    def code_sign(self, at):
        e, pw, lg, p = self.here.e, self.pw, self.lg, self.p
        coarse, q = self.lat.kind in (INT, TABLE), 8
        if coarse:
            f = (p - self.lat.number(self.xp)) / float(self.ulp)
            q = clamp(int(16 * f + 8), 0, 15) if -1 < f < 1 else 15 if f > 0 else 0
        if self.fast:
            return self.single(self.sign_ctx, (q * 3 + sign(e[at - 1])) * 3 + sign(e[at - pw]))
        corner = self.up.e[at] if self.up else e[at - pw - 1]
        g = [((sign(e[at - 1]) * 3 + sign(e[at - pw])) * 3 + sign(e[at - pw + 1])) * 3 + sign(corner)]
        d = [level(F(k - p), g_) for k, g_ in zip(self.pred, (lg - 16, lg, lg))]
        g.append(128 + (d[0] * 7 + d[1]) * 16 + (q if coarse else d[2]))
        if self.strong:
            g.append(1024 + self.around)
        return self.mixed([(self.sign_ctx, i) for i in g], (self.set, 16))

    def residual(self, at):
        c = self.code_class()
        if c == 0:
            return self.xp
        negative, tree, m = self.code_sign(at), 1, c - 1
        n_top = min(m, 1 if self.fast else 2)
        place = (self.rel >> 3) * 32 + clamp(c - self.b, 0, 3) * 8
        for _ in range(n_top):
            tree = tree << 1 | self.single(self.mant, place + tree)
        m -= n_top
        base = tree << m
        if m and self.flags & LOW:
            start = self.signed(self.xp - base if negative else self.xp + base)
            low = self.low_bits(at, m, start < 0)
            base |= (start - low if negative else low - start) & ((1 << m) - 1)
        elif m:
            base |= self.d.raw(m)
        return self.signed(self.xp - base if negative else self.xp + base)

    @staticmethod
    def signed(v):
        v &= M64
        return v - (1 << 64) if v >> 63 else v

    def low_bits(self, at, m, negative):
        negative, e2 = int(negative), math.frexp(float(self.ulp))[1] - 1
        v, pw = self.here.v, self.pw
        third = self.up.v[at] if self.up else v[at - pw + 1]
        w = [(fixed(k, e2) - negative) & M64 for k in (v[at - 1], v[at - pw], third)]
        alive, got, i = [True] * 4, 0, 0
        while i < m and any(alive):
            st = [1 + (k >> i & 1) if alive[j] else 0 for j, k in enumerate(w)] + [1 + negative if alive[3] else 0]
            e = clamp(e2 + i + 64, 0, 127)
            index = [(((st[0] * 3 + st[1]) * 3 + st[2]) * 3 + st[3]) * 16 + min(i, 15)]
            index += [2048 * (k + 1) + (st[k] * 3 + st[3]) * 128 + e for k in range(3)]
            bit = self.mixed([(self.low_ctx, j) for j in index], ("low", min(i, 15)))
            got |= bit << i
            alive = [a and (k >> i & 1) == bit for a, k in zip(alive, w)] + [alive[3] and bit == negative]
            i += 1
        return got | self.d.raw(m - i) << i
