# SPDX-License-Identifier: Apache-2.0
"""Kelvin-Helmholtz rolls: two tanh shear layers in a periodic box, with or without stable stratification."""
import numpy as np

from .flow2d import Flow2D, record
from .spectral import draw_log

FRAMES = 32


def draw(rng, split):
    n = int(rng.choice([128, 192]))
    fine = (128 / n) ** 2
    low, high = (1.2e-3, 1.6e-3) if split == "ood" else (1.8e-3, 8e-3)
    viscosity = draw_log(rng, low, high) * fine
    return {
        "n": n, "viscosity": viscosity, "diffusivity": viscosity * draw_log(rng, 0.7, 2.0), "dt": 0.012 * 128 / n,
        "width": draw_log(rng, 0.12, 0.35) * 128 / n, "waves": int(rng.integers(1, 6)), "kick": draw_log(rng, 0.01, 0.15),
        "richardson": draw_log(rng, 0.02, 0.6) if rng.random() < 0.6 else 0.0,
        "spin": int(rng.integers(100, 900) * n / 128), "stride": int(rng.integers(5, 30)),
    }


def run(p, seed):
    rng = np.random.default_rng(seed)
    n = p["n"]
    # stratification: buoyancy -Ri s with s heavy below, so that the layers at 1/4 and 3/4 are stable and unstable
    flow = Flow2D((n, n), viscosity=p["viscosity"], diffusivity=p["diffusivity"], dt=p["dt"], buoyancy=p["richardson"])
    box = flow.box
    y = (np.arange(n) * 2 * np.pi / n)[:, None]
    x = (np.arange(n) * 2 * np.pi / n)[None]
    a, b = (y - np.pi / 2) / p["width"], (y - 3 * np.pi / 2) / p["width"]
    bump = np.exp(-a * a / 4) * np.cos(p["waves"] * x + rng.uniform(0, 6.3)) + np.exp(-b * b / 4) * np.cos(
        p["waves"] * x + rng.uniform(0, 6.3))
    w = (-1 / np.cosh(a) ** 2 + 1 / np.cosh(b) ** 2) / p["width"]
    w = w + p["kick"] / p["width"] * (bump + 0.3 * box.random(rng, 6.0, 0.5))
    s = 0.5 * (np.tanh(a) - np.tanh(b)) + 0 * x
    state = [box.forward((w - w.mean()).astype(np.float32)), box.forward(s.astype(np.float32))]
    state = flow.steps(state, p["spin"])
    return record(flow, state, FRAMES, p["stride"], ("vorticity", "scalar", "velocity"))
