# SPDX-License-Identifier: Apache-2.0
"""Tuned priors that are small differences: sizes, the last layer, counters, chunks."""
import pathlib

import numpy as np
import torch

from fmc_train import fmcw, prior, prior_linear, prior_net, prior_watch
from test_prior import neutral


def test_a_difference_is_as_small_as_its_changes():
    base = neutral(prior_net.Net(32, 32).layers())
    file = fmcw.write(base)
    assert prior_linear.difference_size(file, file) < 200
    changed = base.arrays["mix/weight"].copy()
    changed[:4] += prior_linear.STEP
    other = fmcw.write(fmcw.Model("prior", base.numbers, {}, {**base.arrays, "mix/weight": changed}, base.record))
    assert prior_linear.difference_size(file, file) < prior_linear.difference_size(file, other) < 300


def test_the_last_layer_follows_its_values():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    h = rng.integers(0, 511, (4000, 32))
    symbol = (h[:, 3] > 300).astype(int)
    layer = np.zeros((16, 32), int), np.zeros(16, int), np.full(16, 4)
    w, b, s = prior_linear.tune_layer(layer, h, symbol, np.ones(len(h)), cost=0.1)

    def bits(w, b):
        logit = torch.tensor(((h @ w.T + b) / 2.0 ** s / 256).clip(-8, 8), dtype=torch.float32)
        return float(prior_net.bits(logit, torch.tensor(symbol)).mean())

    assert w.dtype.kind == "i" and abs(w).max() <= 127 and (s == layer[2]).all()
    assert w[0, 3] > 0 and bits(w, b) < 0.8 * bits(*layer[:2])
    w, b, _ = prior_linear.tune_layer(layer, h, rng.permutation(symbol), np.ones(len(h)), cost=1e6)
    assert not w.any() and not b.any()


def test_counters_that_were_far_off_move():
    states = np.zeros(20, prior_watch.STATE)
    base = np.full(prior.N_COUNTERS, 0x8000 << 16 | 10, np.uint32)
    states["counter"][:] = (0x8000 << 16 | 10) & 0xffffffff
    states["counter"][:, 7] = 0xf000 << 16 | 200
    new, saved = prior_linear.tune_counters(states, base)
    assert abs(int(new[7] >> 16) - 0xf000) < 0x800 and saved[7] > 20
    assert (np.delete(new, 7) == np.delete(base, 7)).all() and not np.delete(saved, 7).any()


def test_chunks_have_the_bound_of_the_field(tmp_path):
    field = np.arange(6 * 8 * 10, dtype="f4").reshape(6, 8, 10)
    field[0, 0, 0] = np.nan
    jobs, scale = prior_linear.cut([field], [2, 0, 5], tmp_path, [1e-2], 3, np.random.default_rng(0))
    lines = [line.split() for line in pathlib.Path(jobs).read_text().splitlines()]
    assert len(lines) == 3 * len(prior_watch.EFFORTS) and scale == 1
    for raw, kind, rank, *dims, bound_kind, bound, effort in lines:
        part = np.fromfile(raw, "<f4")
        assert (kind, rank, dims, bound_kind) == ("f32", "3", ["2", "8", "5"], "4")
        assert int(effort) in prior_watch.EFFORTS
        assert abs(float(bound) * prior_linear.spread_of(part) - 1e-2 * prior_linear.spread_of(field)) < 1e-3
