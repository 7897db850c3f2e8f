# SPDX-License-Identifier: Apache-2.0
"""Write test vectors for a model file."""
import pathlib

from .. import fmcw, vectors


def arguments(parser):
    parser.add_argument("model")
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=1)


def run(options):
    raw = pathlib.Path(options.model).read_bytes()
    out = vectors.make(fmcw.read(raw), raw, options.seed)
    pathlib.Path(options.out).write_bytes(out)
    print(f"{options.out}: {len(out)} bytes")
