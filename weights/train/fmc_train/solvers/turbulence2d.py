# SPDX-License-Identifier: Apache-2.0
"""Decaying and forced two-dimensional turbulence with a passive, a gradient-driven or a reacting (front) scalar."""
import numpy as np

from .flow2d import Flow2D, record
from .spectral import draw_log

FRAMES = 32


def draw(rng, split):
    n = int(rng.choice([128, 128, 128, 192]))
    fine = (128 / n) ** 2                                # dissipation scale follows the grid
    kind = str(rng.choice(["passive", "gradient", "front"]))
    low, high = (1.2e-3, 1.7e-3) if split == "ood" else (1.8e-3, 1.2e-2)
    strides = (14, 24) if split == "ood" else (2, 14)
    viscosity = draw_log(rng, low, high) * fine
    return {
        "n": n, "viscosity": viscosity, "diffusivity": viscosity * draw_log(rng, 0.6, 2.0),
        "dt": 0.012 * 128 / n, "force": draw_log(rng, 0.3, 3.0) if rng.random() < 0.5 else 0.0,
        "force_wave": int(rng.choice([2, 3, 4, 6])), "drag": 0.1, "peak": float(rng.choice([2.5, 4, 6, 9])),
        "scalar_peak": float(rng.choice([1.5, 3, 6])), "sharpness": draw_log(rng, 0.7, 3.0),
        "gradient": 1.0 if kind == "gradient" else 0.0, "growth": draw_log(rng, 0.5, 3.0) if kind == "front" else 0.0,
        "spin": int(rng.integers(60, 250)), "stride": int(rng.integers(*strides)),
    }


def run(p, seed):
    rng = np.random.default_rng(seed)
    forced = p["force"] > 0
    flow = Flow2D((p["n"], p["n"]), viscosity=p["viscosity"], diffusivity=p["diffusivity"], dt=p["dt"],
                  drag=p["drag"] if forced else 0.0, gradient=p["gradient"], growth=p["growth"])
    box = flow.box
    if forced:
        flow.force = p["force"] * box.forward(box.random(rng, p["force_wave"], 2.0))
    w = box.forward(box.random(rng, p["peak"], 1.0))
    u, v = flow.velocity(w)
    w = w / np.sqrt((u * u + v * v).mean())
    scalar = 0.5 + 0.5 * np.tanh(p["sharpness"] * box.random(rng, p["scalar_peak"], 0.5))
    state = flow.steps([w, box.forward(scalar.astype(np.float32))], p["spin"])
    return record(flow, state, FRAMES, p["stride"], ("vorticity", "scalar", "velocity", "pressure"))
