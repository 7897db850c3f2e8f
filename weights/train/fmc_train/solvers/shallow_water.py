# SPDX-License-Identifier: Apache-2.0
"""Rotating shallow water over flat or rough ground, spectral, height and one velocity recorded."""
import numpy as np

from .spectral import Box, draw_log, rk4

FRAMES = 32


def draw(rng, split):
    n = int(rng.choice([128, 192]))
    fine = (128 / n) ** 2
    low, high = (1.4e-3, 1.9e-3) if split == "ood" else (2e-3, 8e-3)
    return {"n": n, "viscosity": draw_log(rng, low, high) * fine, "coriolis": float(rng.choice([0, 1, 4])),
            "peak": float(rng.choice([2, 4, 7])), "height": 0.12, "speed": draw_log(rng, 0.05, 0.25),
            "ground": draw_log(rng, 0.03, 0.25) if rng.random() < 0.5 else 0.0, "dt": 0.012 * 128 / n,
            "spin": int(rng.integers(20, 300)), "stride": int(rng.integers(*((10, 18) if split == "ood" else (2, 10))))}


def run(p, seed):
    rng = np.random.default_rng(seed)
    box = Box((p["n"], p["n"]))
    ground = p["ground"] * box.random(rng, 3.0, 0.5)
    h = box.forward((1 + p["height"] * box.random(rng, p["peak"], 1.0)).astype(np.float32))
    u = box.forward(p["speed"] * box.random(rng, p["peak"], 1.0))
    v = box.forward(p["speed"] * box.random(rng, p["peak"], 1.0))
    half = [np.exp(-p["viscosity"] * box.k2 * p["dt"] / 2).astype(np.float32)] * 3
    f = p["coriolis"]

    def rhs(state):
        h, u, v = state
        hh, uu, vv = box.inverse(h), box.inverse(u), box.inverse(v)
        depth = hh - ground
        dh = -box.gradient(box.forward(depth * uu), 1) - box.gradient(box.forward(depth * vv), 0)
        du = -uu * box.inverse(box.gradient(u, 1)) - vv * box.inverse(box.gradient(u, 0)) + f * vv
        dv = -uu * box.inverse(box.gradient(v, 1)) - vv * box.inverse(box.gradient(v, 0)) - f * uu
        return [(dh * box.dealias).astype(np.complex64),
                ((box.forward(du) - box.gradient(h, 1)) * box.dealias).astype(np.complex64),
                ((box.forward(dv) - box.gradient(h, 0)) * box.dealias).astype(np.complex64)]

    def steps(state, count):
        for _ in range(count):
            state = rk4(state, rhs, half, np.float32(p["dt"]))
        return state

    state = steps([h, u, v], p["spin"])
    heights, speeds = [], []
    for _ in range(FRAMES):
        heights.append(box.inverse(state[0]))
        speeds.append(box.inverse(state[1]))
        state = steps(state, p["stride"])
    return {"height": np.stack(heights).astype(np.float32), "velocity": np.stack(speeds).astype(np.float32)}
