# SPDX-License-Identifier: Apache-2.0
"""Rayleigh-Benard convection between free-slip plates, in free-fall units (height 1, temperature difference 1).

Plates by parity: in a periodic box of twice the height, vorticity and the departure from conduction are odd in y, so the
vertical velocity vanishes at both plates and the temperature is fixed there.
"""
import numpy as np

from .flow2d import Flow2D, record
from .spectral import draw_log

FRAMES = 32


def draw(rng, split):
    rayleigh = draw_log(rng, 2.2e6, 4e6) if split == "ood" else draw_log(rng, 5e4, 2e6)
    return {"ny": 96, "nx": 192, "aspect": float(rng.choice([2.0, 2.5])), "rayleigh": rayleigh,
            "prandtl": draw_log(rng, 0.5, 5.0), "dt": 0.015, "kick": draw_log(rng, 0.1, 0.4),
            "spin": int(rng.integers(150, 700)), "stride": int(rng.integers(3, 16))}


def run(p, seed):
    rng = np.random.default_rng(seed)
    ny, nx = p["ny"], p["nx"]
    flow = Flow2D((2 * ny, nx), (2.0, p["aspect"]), viscosity=float(np.sqrt(p["prandtl"] / p["rayleigh"])),
                  diffusivity=float(1 / np.sqrt(p["prandtl"] * p["rayleigh"])), dt=p["dt"], buoyancy=1.0, gradient=-1.0)
    box = flow.box

    def odd(spectrum):
        field = box.inverse(spectrum)
        return box.forward((field - np.roll(field[::-1], 1, 0)) / 2)

    def fix(state):
        return [odd(spectrum) for spectrum in state]     # rounding would break the parity in the end

    theta = p["kick"] * box.random(rng, 2 * np.pi * 1.5, 0.5)
    state = fix([0 * box.forward(theta), box.forward(theta)])
    for _ in range(p["spin"] // 10):
        state = fix(flow.steps(state, 10))
    out = record(flow, state, FRAMES, p["stride"], ("vorticity", "scalar", "velocity"), fix)
    out = {name: np.ascontiguousarray(field[:, :ny]) for name, field in out.items()}
    out["temperature"] = out.pop("scalar") - (np.arange(ny, dtype=np.float32) / ny)[None, :, None]
    return out
