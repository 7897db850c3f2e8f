# SPDX-License-Identifier: Apache-2.0
"""Write a small model with random weights and every kind of op, for tests."""
import pathlib

from .. import fmcw, tiny


def arguments(parser):
    parser.add_argument("--out", required=True)
    parser.add_argument("--variant", choices=("klt", "faithful"), default="klt")
    parser.add_argument("--seed", type=int, default=0)


def run(options):
    raw = fmcw.write(tiny.make(options.variant, options.seed))
    pathlib.Path(options.out).write_bytes(raw)
    print(f"{options.out}: {len(raw)} bytes")
