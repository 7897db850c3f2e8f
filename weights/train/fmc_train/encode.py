# SPDX-License-Identifier: Apache-2.0
"""Reference encoder of a model file: the float programs, and the choice of symbols. Any encoder may do better."""
import numpy as np
import torch
import torch.nn.functional as F

from . import integer


def run(model, name, x):
    """Output of a float program for a float32 tensor (1, C, T, H, W)."""
    values = []
    for op in model.programs[name].ops:
        a = [None if n is None else torch.from_numpy(model.arrays[n].astype(np.float32)) for n in op.arrays]
        v = [values[i] for i in op.inputs]
        if op.kind == "f_input":
            y = x
        elif op.kind == "f_conv":
            y = F.conv3d(v[0], a[0], a[1], op.p[3:6], [k // 2 for k in op.p[:3]], 1, op.p[6])
        elif op.kind == "f_norm":
            y = F.layer_norm(v[0].movedim(1, -1), (op.channels,), a[0], a[1], 1e-5).movedim(-1, 1)
        elif op.kind == "f_relu":
            y = F.relu(v[0])
        elif op.kind == "f_leaky":
            y = F.leaky_relu(v[0], 0.2)
        elif op.kind == "f_add":
            y = v[0] + v[1]
        elif op.kind == "f_scale":
            y = v[0] * a[0][:, None, None, None]
        elif op.kind == "f_concat":
            y = torch.cat(v, 1)
        elif op.kind == "f_fold":
            whole = v[0]
            for axis, size in zip((2, 3, 4), op.p):
                short = -whole.shape[axis] % size
                whole = torch.cat([whole] + [whole.narrow(axis, whole.shape[axis] - 1, 1)] * short, axis)
            n, c, t, h, w = whole.shape
            p, q, r = op.p[:3]
            y = whole.reshape(n, c, t // p, p, h // q, q, w // r, r).permute(0, 1, 3, 5, 7, 2, 4, 6)
            y = y.reshape(n, c * p * q * r, t // p, h // q, w // r)
        values.append(y)
    return values[model.programs[name].outputs[0]]


@torch.no_grad()
def symbols(model, field, level):
    """z and y symbols of a field (T, H, W) of whole patches, scaled to mean 0 and standard deviation 1."""
    y = run(model, "analysis", torch.from_numpy(np.asarray(field, np.float32))[None, None])
    z = run(model, "hyper_analysis", y)[0].double().numpy()
    mean = model.arrays["hyper/mean"][level].astype(np.int64)
    frac = model.numbers["latent_frac"]

    def gain(name):
        return model.arrays[name][level].astype(np.float64)[:, None, None, None]

    z = np.floor(z * gain("gain/hyper") - mean[:, None, None, None] / 2 ** frac + 0.5).astype(np.int64)
    mu, _ = integer.run(model, "hyper", (z << frac) + mean[:, None, None, None], level)
    mu = mu[:, :, :y.shape[3], :y.shape[4]]
    return z, np.floor(y[0].double().numpy() * gain("gain/latent") - mu / 2 ** frac + 0.5).astype(np.int64)
