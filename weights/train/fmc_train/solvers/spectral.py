# SPDX-License-Identifier: Apache-2.0
"""Periodic boxes: transforms, derivatives, random fields, and a fourth-order step with exact diffusion."""
import numpy as np
import scipy.fft


class Box:
    """Periodic box of shape (ny, nx) or (nz, ny, nx) and given side lengths; float32 fields, complex64 spectra."""

    def __init__(self, shape, lengths=None):
        self.shape = tuple(shape)
        lengths = lengths or (2 * np.pi,) * len(shape)
        waves = []
        inside = np.ones((), bool)
        for axis, (n, length) in enumerate(zip(self.shape, lengths)):
            last = axis == len(shape) - 1
            index = scipy.fft.rfftfreq(n, 1 / n) if last else scipy.fft.fftfreq(n, 1 / n)
            place = [1] * len(shape)
            place[axis] = index.size
            inside = inside & (np.abs(index) < n / 3).reshape(place)
            waves.append((2 * np.pi / length * index).reshape(place).astype(np.float32))
        self.k = waves                                   # one broadcastable array per axis
        self.k2 = sum(k * k for k in waves).astype(np.float32)
        self.inverse_k2 = np.where(self.k2 > 0, 1 / np.maximum(self.k2, 1e-12), 0).astype(np.float32)
        self.dealias = inside.astype(np.float32)         # two-thirds rule

    def forward(self, field):
        return scipy.fft.rfftn(field, workers=1)

    def inverse(self, spectrum):
        return scipy.fft.irfftn(spectrum, s=self.shape, workers=1)

    def gradient(self, spectrum, axis):
        return 1j * self.k[axis] * spectrum

    def random(self, rng, peak, slope):
        """Gaussian field of unit variance and zero mean, spectrum (k/peak)^slope exp(-(k/peak)^2), k in box units."""
        k = np.sqrt(self.k2)
        shape = np.exp(-((k / peak) ** 2)) * (k / peak) ** slope
        shape.flat[0] = 0
        field = self.inverse(self.forward(rng.standard_normal(self.shape).astype(np.float32)) * shape)
        return (field / field.std()).astype(np.float32)


def rk4(state, rhs, half, dt):
    """One step of d(s)/dt = L s + rhs(s) for a list of spectra; half[i] = exp(L dt / 2) (integrating factor)."""
    a = rhs(state)
    b = rhs([e * (s + dt / 2 * p) for e, s, p in zip(half, state, a)])
    c = rhs([e * s + dt / 2 * p for e, s, p in zip(half, state, b)])
    d = rhs([e * e * s + dt * e * p for e, s, p in zip(half, state, c)])
    return [e * e * s + dt / 6 * (e * e * p + 2 * e * (q + r) + w)
            for e, s, p, q, r, w in zip(half, state, a, b, c, d)]


def draw_log(rng, low, high):
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))
