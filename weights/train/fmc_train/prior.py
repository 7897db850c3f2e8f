# SPDX-License-Identifier: Apache-2.0
"""Architecture `prior`, docs/weights-format.md 6 and format.md 8.7: arrays, checks, the network in integers (numpy only)."""
import numpy as np

from . import fmcw

FEATURES, PLACES, OUTPUTS, LARGEST, LOGIT = 52, 3 * 96, 16, 511, 2047
INPUTS, SETS, MIX_SETS = 9, 3 * 768 + 12, 3 * 768


def _sizes(prefix, quantisers):
    pairs = {f"{prefix}pair{i}": 6400 for i in range(5)}
    return {f"{prefix}energy": quantisers * 12 * 40 * 16, **pairs, f"{prefix}mean": 8 * 20 * 31,
            f"{prefix}logit": quantisers * OUTPUTS * 3 * 32}


COUNTERS = {"mean_sign": 20 * 31, "sign": 108, "segment": 48, "escape": 40, "top": 16, **_sizes("", 1), **_sizes("trellis/", 2)}
N_COUNTERS = sum(COUNTERS.values())


def shapes(width1, width2):
    """[out][in] of the layers."""
    return [(width1, FEATURES), (width2, width1), (OUTPUTS, width2)]


def check(model):
    """Every rule of weights-format.md 6."""
    need = fmcw.need
    numbers, a = model.numbers, model.arrays
    need(numbers["layout"] == 2, "layout of the prior is not known")
    for w in (numbers["width1"], numbers["width2"]):
        need(16 <= w <= 64 and w % 16 == 0, "width of a hidden layer")
    need(not model.programs, "programs in a prior")

    def array(name, kind, count):
        need(name in a and a[name].dtype == np.dtype(kind) and a[name].size == count, f"array {name}: missing, type or shape")
        return a[name].astype(np.int64)

    for name, count in COUNTERS.items():
        array(f"start/{name}", "<u2", count)
        need(array(f"seen/{name}", "<u1", count).max() <= 127, f"array seen/{name}: out of range")
    need(abs(array("mix/weight", "<i4", SETS * INPUTS)).max() <= 1 << 20, "array mix/weight: out of range")
    array("mix/seen", "<u2", SETS)
    for i, (n_out, n_in) in enumerate(shapes(numbers["width1"], numbers["width2"])):
        need(array(f"layer{i}/weight", "i1", n_out * n_in).min() >= -127, f"array layer{i}/weight: out of range")
        need(abs(array(f"layer{i}/bias", "<i4", n_out * (1 if i else PLACES))).max() < 1 << 22, f"array layer{i}/bias: out of range")
        need(array(f"layer{i}/shift", "u1", n_out).max() <= 20, f"array layer{i}/shift: out of range")


def neutral_counters():
    """Start values (16 bits) and counts of a model that knows nothing, in the order of COUNTERS."""
    start, seen = {}, {k: np.zeros(n, np.uint8) for k, n in COUNTERS.items()}
    for name, n in COUNTERS.items():
        start[name] = np.zeros(n, np.uint16)
    for name in ("energy", "trellis/energy"):
        start[name][:] = 0x6000
        start[name][::16] = 0x4000
    for name in ("mean_sign", "sign", "escape"):
        start[name][:] = 0x8000
    start["segment"][:], start["top"][:] = 0x2000, 0x7800
    centre = (np.arange(32) * 128 + 64 - 2048) / 256
    for name in ("logit", "trellis/logit"):
        start[name][:] = np.tile(np.round(65535 / (1 + np.exp(-centre))), len(start[name]) // 32)
        seen[name][:] = 20
    return start, seen


def neutral_mix():
    """Half of the weight to the network, in two voices, the rest to the counters."""
    w = np.zeros((SETS, INPUTS), np.int32)
    w[:MIX_SETS, :7] = 16384 // 14
    w[:MIX_SETS, 7:] = 16384 // 4
    w[MIX_SETS:, :4] = 16384 // 4
    return w, np.zeros(SETS, np.uint16)


def build(layers, start, seen, mix, mix_seen, record):
    """layers: [(weight [out][in], bias, shift [out])], integers."""
    arrays = {}
    for name in COUNTERS:
        arrays[f"start/{name}"], arrays[f"seen/{name}"] = start[name].astype("<u2"), seen[name].astype("u1")
    arrays["mix/weight"], arrays["mix/seen"] = mix.astype("<i4"), mix_seen.astype("<u2")
    for i, (weight, bias, shift) in enumerate(layers):
        arrays[f"layer{i}/weight"], arrays[f"layer{i}/bias"] = weight.astype("i1"), bias.astype("<i4")
        arrays[f"layer{i}/shift"] = shift.astype("u1")
    numbers = {"layout": 2, "width1": layers[0][0].shape[0], "width2": layers[1][0].shape[0]}
    return fmcw.Model("prior", numbers, {}, arrays, record)


def ask(model, feature, place):
    """The network of format.md 8.7: features [52] to logits [16]."""
    x = np.asarray(feature, np.int64)
    for i, (n_out, n_in) in enumerate(shapes(model.numbers["width1"], model.numbers["width2"])):
        a = model.arrays
        bias = a[f"layer{i}/bias"].astype(np.int64).reshape(-1, n_out)[0 if i else place]
        shift = a[f"layer{i}/shift"].astype(np.int64)
        x = a[f"layer{i}/weight"].astype(np.int64).reshape(n_out, n_in) @ x + bias
        x = (x + ((1 << shift) >> 1)) >> shift
        x = np.clip(x, 0, LARGEST) if i < 2 else np.clip(x, -LOGIT, LOGIT)
    return x
