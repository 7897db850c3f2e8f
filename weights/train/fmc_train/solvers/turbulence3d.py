# SPDX-License-Identifier: Apache-2.0
"""Decaying three-dimensional turbulence with a passive scalar, 64^3, rotational form, Heun's method."""
import numpy as np

from .spectral import Box, draw_log

FRAMES, N = 24, 64


def draw(rng, split):
    return {"n": N, "viscosity": draw_log(rng, *((1e-2, 1.3e-2) if split == "ood" else (1.4e-2, 3e-2))),
            "schmidt": draw_log(rng, 0.5, 1.5), "peak": float(rng.choice([2, 3, 4])), "dt": 0.02,
            "spin": int(rng.integers(20, 70)), "stride": int(rng.integers(1, 4))}


def run(p, seed):
    rng = np.random.default_rng(seed)
    box = Box((N, N, N))

    def project(v):
        along = sum(k * a for k, a in zip(box.k, v)) * box.inverse_k2
        return [a - k * along for k, a in zip(box.k, v)]

    v = project([box.forward(box.random(rng, p["peak"], 1.5)) for _ in range(3)])
    energy = sum((box.inverse(a) ** 2).mean() for a in v)
    state = [a / np.sqrt(energy) for a in v] + [box.forward(box.random(rng, 2.0, 0.5))]
    decay = np.exp(-p["viscosity"] * box.k2 * p["dt"]).astype(np.float32)
    decays = [decay] * 3 + [np.exp(-p["viscosity"] / p["schmidt"] * box.k2 * p["dt"]).astype(np.float32)]
    dt = np.float32(p["dt"])

    def rhs(state):
        v = state[:3]
        z, y, x = [box.inverse(a) for a in v]
        kz, ky, kx = (lambda a, axis=axis: box.gradient(a, axis) for axis in range(3))
        wz, wy, wx = (box.inverse(ky(v[2]) - kx(v[1])), box.inverse(kx(v[0]) - kz(v[2])), box.inverse(kz(v[1]) - ky(v[0])))
        # components are (z, y, x); u cross curl(u), curl taken with the handedness of that order on both sides
        force = [box.forward(y * wx - x * wy), box.forward(x * wz - z * wx), box.forward(z * wy - y * wz)]
        scalar = box.inverse(state[3])
        ds = -sum(box.gradient(box.forward(a * scalar), axis) for axis, a in enumerate((z, y, x)))
        return [(a * box.dealias).astype(np.complex64) for a in project(force) + [ds]]

    def steps(state, count):
        for _ in range(count):
            a = rhs(state)
            guess = [e * (s + dt * r) for e, s, r in zip(decays, state, a)]
            b = rhs(guess)
            state = [e * (s + dt / 2 * r) + dt / 2 * q for e, s, r, q in zip(decays, state, a, b)]
        return state

    state = steps(state, p["spin"])
    cuts = {"velocity": [], "scalar": []}
    for _ in range(FRAMES):
        cuts["velocity"].append(box.inverse(state[2])[:: N // 2])
        cuts["scalar"].append(box.inverse(state[3])[:: N // 2])
        state = steps(state, p["stride"])
    out = {f"{name}_{cut}": np.stack([f[cut] for f in frames]).astype(np.float32)
           for name, frames in cuts.items() for cut in range(2)}
    out["volume_velocity"] = box.inverse(state[2]).astype(np.float32)
    out["volume_scalar"] = box.inverse(state[3]).astype(np.float32)
    return out
