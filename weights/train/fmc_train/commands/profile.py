# SPDX-License-Identifier: Apache-2.0
"""Multiplications per sample and PyTorch's time (float) of the decoder's parts."""
import pathlib

import torch

from .. import fmcw
from ..profile import profile
from ..train import exact_arithmetic


def arguments(parser):
    parser.add_argument("model")
    parser.add_argument("--frames", type=int, default=16)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    parts = profile(fmcw.read(pathlib.Path(options.model).read_bytes()), options.frames, options.size, options.rounds)
    work, time = (sum(p[i] for p in parts.values()) for i in (0, 1))
    print(f"{options.frames} x {options.size} x {options.size}, {options.threads} threads\n")
    print("| part | multiplications/sample | share | seconds | share |\n|---|---|---|---|---|")
    for name, (macs, seconds) in sorted(parts.items(), key=lambda item: -item[1][1]):
        print(f"| {name} | {macs:.0f} | {100 * macs / work:.0f} % | {seconds:.3f} | {100 * seconds / time:.0f} % |")
