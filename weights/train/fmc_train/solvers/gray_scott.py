# SPDX-License-Identifier: Apache-2.0
"""Gray-Scott reaction and diffusion: spots, stripes, travelling fronts."""
import numpy as np

from .spectral import Box, draw_log

FRAMES = 32


def draw(rng, split):
    ood = split == "ood"
    return {"n": int(rng.choice([128, 192])), "feed": draw_log(rng, *((0.06, 0.075) if ood else (0.02, 0.055))),
            "kill": draw_log(rng, *((0.0595, 0.0615) if ood else (0.053, 0.063))), "scale": draw_log(rng, 0.6, 1.3),
            "peak": float(rng.choice([3, 5, 8])), "spin": int(rng.integers(300, 2000)),
            "stride": int(rng.integers(*((80, 140) if ood else (12, 80))))}


def laplacian(a, out):
    out[:] = -4 * a
    out[1:] += a[:-1]
    out[0] += a[-1]
    out[:-1] += a[1:]
    out[-1] += a[0]
    out[:, 1:] += a[:, :-1]
    out[:, 0] += a[:, -1]
    out[:, :-1] += a[:, 1:]
    out[:, -1] += a[:, 0]
    return out


def run(p, seed):
    rng = np.random.default_rng(seed)
    n = p["n"]
    seeds = (Box((n, n)).random(rng, p["peak"], 0.5) > 1.0).astype(np.float32)
    u = 1 - 0.5 * seeds
    v = 0.25 * seeds + 0.01 * rng.random((n, n)).astype(np.float32)
    buffer = np.empty_like(u)
    for _ in range(10):
        u, v = u + 0.2 * laplacian(u, buffer), v + 0.2 * laplacian(v, buffer)
    du, dv = np.float32(0.16 * p["scale"]), np.float32(0.08 * p["scale"])
    feed, drop = np.float32(p["feed"]), np.float32(p["feed"] + p["kill"])

    def steps(u, v, count):
        for _ in range(count):
            r = u * v * v
            u, v = u + du * laplacian(u, buffer) - r + feed * (1 - u), v + dv * laplacian(v, buffer) + r - drop * v
        return u, v

    u, v = steps(u, v, p["spin"])
    us, vs = [], []
    for _ in range(FRAMES):
        us.append(u)
        vs.append(v)
        u, v = steps(u, v, p["stride"])
    return {"u": np.stack(us), "v": np.stack(vs)}
