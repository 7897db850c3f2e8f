# SPDX-License-Identifier: Apache-2.0
"""One simulation of a family, its parameters drawn from a seed, written as OUT_FIELD.npy (T, H, W) float32."""
import json

import numpy as np

from ..solvers import FAMILIES


def arguments(parser):
    parser.add_argument("family", choices=sorted(FAMILIES))
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--split", choices=("train", "val", "ood"), default="val", help="ranges of the parameters")
    parser.add_argument("--frames", type=int, help="default: as in training data")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="change a drawn parameter")
    parser.add_argument("--fields", help="names, comma separated; default: all")
    parser.add_argument("--out", required=True, help="beginning of the file names")


def run(options):
    module = FAMILIES[options.family][0]
    params = module.draw(np.random.default_rng((options.seed, 2)), options.split)
    for change in options.set:
        name, value = change.split("=")
        if name not in params:
            raise SystemExit(f"{options.family} has no parameter {name}: {', '.join(params)}")
        params[name] = type(params[name])(float(value))
    print(json.dumps(params))
    if options.frames:
        module.FRAMES = options.frames
    wanted = options.fields.split(",") if options.fields else None
    for name, field in module.run(params, options.seed).items():
        if wanted is None or name in wanted:
            np.save(f"{options.out}_{name}.npy", np.ascontiguousarray(field, np.float32))
            print(f"{options.out}_{name}.npy", field.shape)
