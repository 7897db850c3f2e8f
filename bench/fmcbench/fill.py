# SPDX-License-Identifier: Apache-2.0
"""What peers get in place of missing samples, and what it costs to store where these were."""
import lzma

import numpy as np


def mask_bytes(valid):
    """Bytes of the smallest of a few simple ways to store where samples are missing: bits, or changes from plane to plane,
    through LZMA. 0 if none is."""
    if valid.all():
        return 0
    bits = [valid]
    if valid.ndim > 2:
        planes = valid.reshape((-1,) + valid.shape[-2:])
        bits.append(np.concatenate([planes[:1], planes[1:] ^ planes[:-1]]))
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 9 | lzma.PRESET_EXTREME}]
    return min(len(lzma.compress(np.packbits(b).tobytes(), lzma.FORMAT_RAW, filters=filters)) for b in bits)


def mean_fill(a, valid):
    """The mean of the valid samples (0 if there are none)."""
    mean = a[valid].mean(dtype=np.float64) if valid.any() else 0.0
    return np.where(valid, a, a.dtype.type(mean))


def smooth_fill(a, valid):
    """Averages of the surroundings in each plane of the last two axes, finer where the hole's edge is near."""
    if a.ndim < 2:
        return mean_fill(a, valid)
    values = np.where(valid, a, 0).astype(np.float64)
    filled, known = _pull_push(values, valid.astype(np.float64))
    mean = mean_fill(a, valid)
    return np.where(valid | (known == 0), mean, filled).astype(a.dtype)


def _pull_push(value, weight):
    """(value, weight) with the unknown samples (weight 0) from the means of 2 x 2 blocks, recursively."""
    height, width = value.shape[-2:]
    if (height <= 1 and width <= 1) or (weight > 0).all():
        return value, weight
    coarse, coarse_weight = _pull_push(*_halve(value, weight))
    rows, columns = np.arange(height) // 2, np.arange(width) // 2
    up, up_weight = coarse[..., rows, :][..., columns], coarse_weight[..., rows, :][..., columns]
    return np.where(weight > 0, value, up), np.where(weight > 0, weight, up_weight)


def _halve(value, weight):
    pad = [(0, 0)] * (value.ndim - 2) + [(0, value.shape[-2] % 2), (0, value.shape[-1] % 2)]
    value, weight = np.pad(value, pad), np.pad(weight, pad)
    blocks = value.shape[:-2] + (value.shape[-2] // 2, 2, value.shape[-1] // 2, 2)
    known = (weight > 0).reshape(blocks)
    count = known.sum((-3, -1))
    total = np.where(known, value.reshape(blocks), 0.0).sum((-3, -1))
    return total / np.maximum(count, 1), count.astype(np.float64)
