#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The smallest model with every kind of integer op, and some symbols: PYTHONPATH=weights/train python tests/fuzz/make_weights.py

Writes tests/fuzz/corpus/weights/: a model, then bytes for fmc_vae_read (fuzz_weights.c). Needs numpy only.
"""
import pathlib

import numpy as np

from fmc_train import fmcw
from fmc_train.fmcw import Model, Op, Program

HERE = pathlib.Path(__file__).parent / "corpus" / "weights"
N = 511
SIDE = 4 * 16 * 16


def p(*values):
    return tuple(values) + (0,) * (8 - len(values))


def conv(arrays, name, x, c_in, c_out, kernel=(1, 1, 1), stride=(1, 1, 1), groups=1, wide=False):
    rng = np.random.default_rng(len(name))
    taps = c_in // groups * int(np.prod(kernel))
    arrays[name + "/w"] = rng.integers(-9, 10, (c_out, c_in // groups) + kernel).astype(np.int8)
    arrays[name + "/s"] = np.full(c_out, 2 + taps.bit_length() // 2, np.uint8)
    top = (1 << 23) - 1 if wide else N
    return Op("conv", (x,), c_out, -top, top, p(*kernel, *stride, groups), (name + "/w", None, name + "/s"))


def affine(arrays, name, x, c, lo, hi, m, shift):
    arrays[name + "/m"] = np.full((2, c), m, np.int16)
    arrays[name + "/b"] = np.zeros((2, c), np.int32)
    return Op("affine", (x,), c, lo, hi, p(shift), (name + "/m", name + "/b", None))


def source(channels):
    return Op("input", (), channels, -fmcw.WIDE, fmcw.WIDE)


def hyper(arrays):
    ops = [source(1), affine(arrays, "h0", 0, 1, -N, N, 1, 0), conv(arrays, "h", 1, 1, 32),
           Op("shuffle", (2,), 2, -N, N, p(1, 4, 4)), affine(arrays, "mu", 3, 2, -9999, 9999, 3, 1),
           affine(arrays, "scale", 3, 2, 0, 63, 1, 4)]
    return Program(ops, [4, 5])


def synthesis(arrays):
    ops = [source(2), affine(arrays, "s0", 0, 2, -N, N, 1, 0), conv(arrays, "a", 1, 2, 2, (3, 3, 3)),
           Op("leaky", (2,), 2, -64, N), conv(arrays, "depth", 3, 2, 2, (1, 3, 3), groups=2), Op("hswish", (4,), 2, -64, 510),
           conv(arrays, "down", 5, 2, 2, (1, 3, 3), (1, 2, 2)), Op("maxpool", (6,), 2, -N, N, p(1, 2, 2)),
           Op("upsample", (7, 1), 2, -N, N, p(1, 4, 4)), Op("tilestat", (8,), 2, -N, 3 * N, p(1, 2, 2)),
           Op("gate", (8, 9), 2, -N, N, p(1, 2, 2)), Op("add", (10, 1), 2, -N, N, p(1, 0, 1)),
           Op("concat", (11, 5), 4, -N, N), conv(arrays, "pair", 12, 4, 2, groups=2),
           affine(arrays, "u", 0, 2, -(1 << 17), (1 << 17) - 1, 5, 1), Op("digit", (14,), 2, -256, 255, p(9, 0)),
           Op("digit", (14,), 2, -256, 256, p(9, 1)), Op("add", (15, 13), 2, -N, N, p(0, 0, 0)),
           Op("add", (17, 16), 2, -N, N, p(0, 0, 0)), conv(arrays, "out", 18, 2, SIDE, wide=True),
           Op("shuffle", (19,), 1, -fmcw.WIDE, fmcw.WIDE, p(4, 16, 16))]
    return Program(ops, [20])


def floats(arrays, name, c_in, c_out, fold):
    inner = c_in * int(np.prod(fold))
    arrays[name + "/w"] = np.ones((c_out, inner, 1, 1, 1), np.float16)
    return Program([Op("f_input", (), c_in), Op("f_fold", (0,), inner, p=p(*fold)),
                    Op("f_conv", (1,), c_out, p=p(1, 1, 1, 1, 1, 1, 1), arrays=(name + "/w", None, None))], [2])


def main():
    arrays = {}
    programs = {"hyper": hyper(arrays), "synthesis": synthesis(arrays), "analysis": floats(arrays, "an", 1, 2, (1, 4, 4)),
                "hyper_analysis": floats(arrays, "ha", 2, 1, (1, 4, 4))}
    ops = programs["analysis"].ops                     # the rest of the way to T/4, H/16, W/16 by strides
    ops[2:] = [Op("f_conv", (1,), 2, p=p(1, 1, 1, 4, 2, 2, 1), arrays=("an/w", None, None)),
               Op("f_conv", (2,), 2, p=p(1, 1, 1, 1, 2, 2, 2), arrays=("an/d", None, None))]
    arrays["an/d"] = np.ones((2, 1, 1, 1, 1), np.float16)
    programs["analysis"].outputs = [3]
    arrays.update({"hyper/mean": np.zeros((2, 1), np.int32), "hyper/scale": np.full((2, 1), 3, np.uint8),
                   "gain/latent": np.ones((2, 2), np.float32), "gain/hyper": np.ones((2, 1), np.float32),
                   "gauss/count": np.full(64, 2, np.uint16), "gauss/frequency": np.tile(np.array([65536 - 4004, 2000], np.uint16), 64),
                   "gauss/escape": np.full(64, 4, np.uint16)})
    numbers = dict(zip(fmcw.NUMBERS, [2, 2, 1, 4, 16, 16, 4, 4, 4, 8, 64]))
    raw = fmcw.write(Model("vae", numbers, programs, arrays, {}))
    HERE.mkdir(parents=True, exist_ok=True)
    (HERE / "minimal").write_bytes(raw)
    # raw bits: none, four words: both states; then states that ask for more
    symbols = bytes([0, 4]) + (1 << 31).to_bytes(8, "little") * 2
    (HERE / "minimal_symbols").write_bytes(raw + bytes([1, 0]) + symbols + symbols)
    print(len(raw))


if __name__ == "__main__":
    main()
