# SPDX-License-Identifier: Apache-2.0
"""The integer forward pass: what every decoder must give, bit for bit. numpy, written for reading.

Tensors are int64 arrays (C, T, H, W). Products of a convolution are summed in float64, which is exact here (every partial
sum is below 2^23), so that the machine's matrix product can be used.
"""
import numpy as np

from .fmcw import Model


def floor_div(a, b):
    return np.floor_divide(a, b)


def round_shift(x, s):
    """floor(x / 2^s + 1/2); s may be an array."""
    s = np.asarray(s, np.int64)
    return (x + np.where(s > 0, np.int64(1) << np.maximum(s - 1, 0), 0)) >> s


def conv(x, weight, bias, shift, stride, groups, lo, hi):
    """Zero padding of (kernel - 1) / 2 on both sides; output ceil(n / stride)."""
    kernel = weight.shape[2:]
    pad = [(k // 2, k // 2) for k in kernel]
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(x, [(0, 0)] + pad), kernel, axis=(1, 2, 3))
    windows = windows[:, ::stride[0], ::stride[1], ::stride[2]]
    c_in, sites = weight.shape[1], windows.shape[1:4]
    per = weight.shape[0] // groups
    acc = np.empty((weight.shape[0],) + sites, np.int64)
    for g in range(groups):
        part = windows[g * c_in:(g + 1) * c_in].transpose(1, 2, 3, 0, 4, 5, 6).reshape(int(np.prod(sites)), -1)
        w = weight[g * per:(g + 1) * per].reshape(per, -1)
        total = part.astype(np.float64) @ w.T.astype(np.float64)
        acc[g * per:(g + 1) * per] = total.T.reshape((per,) + sites).astype(np.int64)
    if bias is not None:
        acc += bias.astype(np.int64)[:, None, None, None]
    assert np.abs(acc).max(initial=0) < 1 << 23
    return np.clip(round_shift(acc, shift.astype(np.int64)[:, None, None, None]), lo, hi)


def expand(x, factor, shape):
    for axis, n in enumerate(factor):
        x = np.repeat(x, n, axis + 1)
    return x[:, :shape[0], :shape[1], :shape[2]]


def tiles(x, size):
    """(C, T', t, H', h, W', w) view of x padded with zeros, and how many sites of each tile are real."""
    extra = [(0, 0)] + [(0, -n % s) for n, s in zip(x.shape[1:], size)]
    shape = [x.shape[0]]
    for n, (_, e), s in zip(x.shape[1:], extra[1:], size):
        shape += [(n + e) // s, s]
    ones = np.pad(np.ones((1,) + x.shape[1:], np.int64), extra).reshape([1] + shape[1:])
    return np.pad(x, extra).reshape(shape), ones


def tilestat(x, size):
    blocks, ones = tiles(x, size)
    n = ones.sum((2, 4, 6), keepdims=True)
    mean = floor_div(2 * blocks.sum((2, 4, 6), keepdims=True) + n, 2 * n)
    deviation = (np.abs(blocks - mean) * ones).sum((2, 4, 6), keepdims=True)
    return (mean + floor_div(2 * deviation + n, 2 * n))[:, :, 0, :, 0, :, 0]


def maxpool(x, size):
    extra = [(0, 0)] + [(0, -n % s) for n, s in zip(x.shape[1:], size)]
    x = np.pad(x, extra, constant_values=np.iinfo(np.int64).min)
    shape = [x.shape[0]]
    for n, s in zip(x.shape[1:], size):
        shape += [n // s, s]
    return x.reshape(shape).max((2, 4, 6))


def shuffle(x, factor):
    a, b, d = factor
    c, t, h, w = x.shape
    c //= a * b * d
    return x.reshape(c, a, b, d, t, h, w).transpose(0, 4, 1, 5, 2, 6, 3).reshape(c, t * a, h * b, w * d)


def apply(model, op, x, level):
    """One op on its inputs x."""
    arrays = [None if a is None else model.arrays[a] for a in op.arrays]
    p = op.p
    if op.kind == "affine":
        m, b = (a[level].astype(np.int64)[:, None, None, None] for a in arrays[:2])
        return np.clip(round_shift(x[0] * m + b, p[0]), op.lo, op.hi)
    if op.kind == "conv":
        return conv(x[0], arrays[0], arrays[1], arrays[2], p[3:6], p[6], op.lo, op.hi)
    if op.kind == "leaky":
        return np.where(x[0] >= 0, x[0], x[0] >> 3)
    if op.kind == "hswish":
        return (x[0] * np.clip((x[0] >> 1) + 256, 0, 512)) >> 9
    if op.kind == "add":
        return np.clip(round_shift((x[0] << p[0]) + (x[1] << p[1]), p[2]), op.lo, op.hi)
    if op.kind == "gate":
        g = np.clip((x[1] >> 4) + 32, 0, 64)
        return (x[0] * expand(g, p[:3], x[0].shape[1:]) + 32) >> 6
    if op.kind == "maxpool":
        return maxpool(x[0], p[:3])
    if op.kind == "upsample":
        return expand(x[0], p[:3], x[1].shape[1:])
    if op.kind == "tilestat":
        return tilestat(x[0], p[:3])
    if op.kind == "shuffle":
        return shuffle(x[0], p[:3])
    if op.kind == "concat":
        return np.concatenate(x)
    if op.kind == "digit":
        high = (x[0] + (1 << (p[0] - 1))) >> p[0]
        return high if p[1] else x[0] - (high << p[0])
    raise ValueError(op.kind)


def run(model: Model, name, x, level, keep=None):
    """Outputs of a program for an int array (C, T, H, W). keep: list that receives every tensor."""
    program = model.programs[name]
    values = []
    for op in program.ops:
        value = np.asarray(x, np.int64) if op.kind == "input" else apply(model, op, [values[i] for i in op.inputs], level)
        if op.kind == "input" and np.abs(value).max(initial=0) > op.hi:
            raise ValueError("input outside its range")
        assert value.shape[0] == op.channels and value.min(initial=0) >= min(op.lo, 0) and value.max(initial=0) <= max(op.hi, 0)
        values.append(value)
    if keep is not None:
        keep.extend(values)
    return [values[o] for o in program.outputs]


def decode(model, z_symbols, y_symbols, level):
    """What a decoder does after entropy decoding.

    z_symbols (hyper, t, ceil(h / 4), ceil(w / 4)) and y_symbols (latent, t, h, w): the integers that were coded.
    Returns mean and scale index of y (which the entropy decoder of y needs) and the field in 1 / 2^output_frac.
    """
    frac = model.numbers["latent_frac"]
    z = (z_symbols.astype(np.int64) << frac) + model.arrays["hyper/mean"][level].astype(np.int64)[:, None, None, None]
    mu, scale = run(model, "hyper", z, level)
    h, w = y_symbols.shape[2:]
    mu, scale = mu[:, :, :h, :w], scale[:, :, :h, :w]
    y = (y_symbols.astype(np.int64) << frac) + mu
    return mu, scale, run(model, "synthesis", y, level)[0]
