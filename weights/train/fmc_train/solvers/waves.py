# SPDX-License-Identifier: Apache-2.0
"""Waves in heterogeneous media: d2p/dt2 = c(x)^2 lap p, spectral Laplacian, leapfrog, absorbing rim cut off."""
import numpy as np

from .spectral import Box, draw_log

FRAMES, RIM = 32, 24


def draw(rng, split):
    return {"n": int(rng.choice([128, 176])), "contrast": draw_log(rng, *((2.2, 3.0) if split == "ood" else (1.1, 2.2))),
            "medium": str(rng.choice(["smooth", "layers", "both", "blobs"])), "peak": draw_log(rng, 3, 10),
            "layers": int(rng.integers(2, 9)), "sources": int(rng.integers(1, 5)),
            "period": draw_log(rng, *((7, 9) if split == "ood" else (9, 24))), "start": int(rng.integers(0, 300)),
            "stride": int(rng.integers(*((10, 20) if split == "ood" else (3, 12))))}


def speed_of(p, rng, box, n):
    """Wave speed, between 1 and contrast, in cells per unit time."""
    rough = box.random(rng, p["peak"], 0.5)
    level = 0.5 + 0.25 * rough
    if p["medium"] in ("layers", "both"):
        y = np.arange(n)[:, None] + 4 * box.random(rng, 2.0, 0.5)
        edges = np.sort(rng.uniform(0, n, p["layers"]))
        steps = np.sort(rng.random(p["layers"] + 1))
        layered = steps[np.searchsorted(edges, y)]
        level = layered if p["medium"] == "layers" else 0.7 * layered + 0.3 * level
    elif p["medium"] == "blobs":
        level = 0.5 + 0.5 * np.tanh(4 * (rough - 0.7))
    return (1 + (p["contrast"] - 1) * np.clip(level, 0, 1)).astype(np.float32)


def run(p, seed):
    rng = np.random.default_rng(seed)
    n = p["n"] + 2 * RIM
    box = Box((n, n), (float(n), float(n)))
    c = speed_of(p, rng, box, n)
    dt = np.float32(0.4 / p["contrast"])              # leapfrog needs c dt pi sqrt(2) < 2
    edge = np.minimum(np.arange(n), np.arange(n)[::-1])
    ramp = np.clip(1 - np.minimum(edge[:, None], edge[None]) / RIM, 0, 1) ** 2
    keep = np.exp(-0.25 * dt * ramp).astype(np.float32)
    yy, xx = np.mgrid[:n, :n]
    sources = []
    for _ in range(p["sources"]):
        y, x = rng.uniform(RIM + 4, n - RIM - 4, 2)
        width = p["period"] / 6
        sources.append((np.exp(-((yy - y) ** 2 + (xx - x) ** 2) / (2 * width ** 2)).astype(np.float32),
                        rng.uniform(1.5, 8) * p["period"], rng.choice([-1, 1]) * rng.uniform(0.4, 1)))
    pressure = np.zeros((n, n), np.float32)
    before = pressure.copy()
    frames = []
    first = int(2 * p["period"] / dt) + p["start"]
    scale = (c * dt) ** 2
    for step in range(first + FRAMES * p["stride"]):
        if step >= first and (step - first) % p["stride"] == 0:
            frames.append(pressure[RIM:-RIM, RIM:-RIM].copy())
        after = 2 * pressure - before - scale * box.inverse(box.k2 * box.forward(pressure))
        for shape, delay, amplitude in sources:
            a = (np.pi * (step * float(dt) - delay) / p["period"]) ** 2
            if a < 40:
                after += np.float32(dt * dt * amplitude * (1 - 2 * a) * np.exp(-a)) * shape
        before, pressure = keep * pressure, keep * after
    return {"pressure": np.stack(frames).astype(np.float32)}
