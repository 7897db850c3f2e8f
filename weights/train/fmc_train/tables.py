# SPDX-License-Identifier: Apache-2.0
"""Gaussian frequency tables of the 64 scales: 16-bit, symmetric, with an escape symbol."""
import math

import numpy as np

SCALES, SCALE_MIN, SCALE_RATIO = 64, 0.11, 1.1126      # sigma_k = 0.11 * 1.1126^k
TOTAL, ESCAPE = 1 << 16, 4          # escape mass 2^-14


def table(index):
    """Frequencies of 0, +-1, +-2, ... (each sign has the same): support +-(5 sigma + 1), sum with the escape 2^16."""
    sigma = SCALE_MIN * SCALE_RATIO ** index
    count = int(math.ceil(5 * sigma)) + 2
    upper = [0.5 * math.erfc((v - 0.5) / (sigma * math.sqrt(2))) for v in range(count + 1)]
    room = TOTAL - ESCAPE - (2 * count - 1)              # one of each is given
    mass = [round(room * u) for u in upper[:count]] + [0]     # of the tail from each bin on: rounding does not add up
    half = [mass[v] - mass[v + 1] + 1 for v in range(1, count)]
    return np.array([TOTAL - ESCAPE - 2 * sum(half)] + half, np.uint16)


def tables():
    """counts u16 [64], frequencies u16 [sum of counts], escapes u16 [64]"""
    each = [table(k) for k in range(SCALES)]
    return (np.array([len(t) for t in each], np.uint16), np.concatenate(each),
            np.full(SCALES, ESCAPE, np.uint16))
