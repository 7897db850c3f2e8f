# SPDX-License-Identifier: Apache-2.0
"""Least squares of docs/format.md 9.4, in f64 operation by operation."""
import math

import numpy as np


class Ols:
    def __init__(self, n):
        self.n = n
        self.clear()

    def clear(self):
        self.gain = 1.0
        self.w = [0.0] * self.n
        self.a, self.b = np.zeros((self.n, self.n)), np.zeros(self.n)

    def update(self, batch, growth):
        """A batch of (taps, target), weighted by the gain, which then grows (8.5)."""
        a, b = np.zeros_like(self.a), np.zeros_like(self.b)
        for x, y in batch:
            x = np.array(x)
            a += np.multiply.outer(x, x)
            b += x * y
        self.a += self.gain * a
        self.b += self.gain * b
        self.gain *= growth
        self.fade()

    def fade(self):
        if self.gain >= 2.0 ** 20:
            self.a *= 2.0 ** -20
            self.b *= 2.0 ** -20
            self.gain *= 2.0 ** -20

    def factor(self, ridge):
        n, a, l = self.n, self.a.tolist(), [[0.0] * self.n for _ in range(self.n)]
        for i in range(n):
            for j in range(i + 1):
                s = a[i][j]
                if i == j:
                    s += s * 1e-9 + ridge
                for k in range(j):
                    s -= l[i][k] * l[j][k]
                if i == j:
                    if not s > ridge * 0.5 or not s < 1e300:
                        return None
                    l[i][i] = 1.0 / math.sqrt(s)
                else:
                    l[i][j] = s * l[j][j]
        return l

    def solve(self):
        """New weights; true if the state was zeroed."""
        n, trace = self.n, 0.0
        for i in range(n):
            trace += float(self.a[i, i])
        if not trace < 1e290:
            self.clear()
            return True
        l = self.factor(trace * (1e-10 / n)) if trace > 1e-290 else None
        if l is None:
            return False
        b, t = self.b.tolist(), [0.0] * n
        for i in range(n):
            s = b[i]
            for k in range(i):
                s -= l[i][k] * t[k]
            t[i] = s * l[i][i]
        for i in range(n - 1, -1, -1):
            s = t[i]
            for k in range(i + 1, n):
                s -= l[k][i] * self.w[k]
            self.w[i] = s * l[i][i]
        return False
