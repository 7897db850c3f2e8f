#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small untrained models and their test vectors: PYTHONPATH=weights/train python tests/unit/data/make_models.py

Widths differ from those of shipped models, so that odd and partial channel counts are met. Needs PyTorch; the results are
stored, and change only with the format of weights.
"""
import pathlib
import struct

import numpy as np
import torch

from fmc_train import encode, fmcw, tiny, vectors
from fmc_train.export import export

HERE = pathlib.Path(__file__).parent
SHAPES = [(1, 1, 1), (2, 1, 3), (1, 4, 2)]
CHANGES = {
    "faithful": {"latent": 5, "hyper": 3, "widths": (4, 4, 5, 6), "blocks": 2, "sr_width": 5},
    "klt": {"latent": 3, "hyper": 3, "hyper_linear": 2, "widths": (4, 4, 4, 4), "blocks": 2, "sr_width": 17},
}


def analysis(raw):
    """Dimensions, a field, its latents and hyper-latents: u32, f32."""
    field = tiny.random_fields(1, 9)[:, :, :4, :32, :48]
    model = fmcw.read(raw)
    with torch.no_grad():
        y = encode.run(model, "analysis", field)
        z = encode.run(model, "hyper_analysis", y)
    return struct.pack("<3I", *field.shape[2:]) + b"".join(np.ascontiguousarray(a).astype("<f4").tobytes() for a in (field, y, z))


def main():
    vectors.SHAPES = SHAPES
    for name, changes in CHANGES.items():
        raw = fmcw.write(export(tiny.quantised(name, 5, **changes), {"purpose": "tests"}))
        (HERE / f"{name}.fmcw").write_bytes(raw)
        vec = vectors.make(fmcw.read(raw), raw, 3)
        (HERE / f"{name}.fmcv").write_bytes(vec)
        (HERE / f"{name}.analysis").write_bytes(analysis(raw))
        print(name, len(raw), len(vec))


if __name__ == "__main__":
    main()
