# SPDX-License-Identifier: Apache-2.0
"""Train one model into a folder; the same command again goes on where it stopped."""
import dataclasses

import torch

from ..finetune import continued
from ..train import Recipe, Run, exact_arithmetic
from ..vae import Config


def arguments(parser):
    parser.add_argument("--run", required=True, help="folder of the run")
    parser.add_argument("--data", action="append", default=[], help="folder made by `data`; may be repeated")
    parser.add_argument("--fields", action="append", default=[], help="folder with manifest.json; licence_note left out")
    parser.add_argument("--arrays", nargs="+", default=[],
                        help=".npy files, time first: train on their beginning, judge by their end")
    parser.add_argument("--share", type=float, default=0.5, help="of --arrays: share of the frames to train on")
    parser.add_argument("--variant", choices=("klt", "faithful"), default="klt")
    parser.add_argument("--dims", default="2233", help="kind of the four stages, 2 or 3 each (ablations)")
    parser.add_argument("--up", choices=("sr", "transposed"), default="sr")
    parser.add_argument("--no-hyper", action="store_true", help="ablation: static scales")
    parser.add_argument("--source", help="checkpoint of another run to start from; only a new run reads it")
    parser.add_argument("--from-model", help="go on from this model file as it is (--source fits linear parts anew)")
    parser.add_argument("--minutes", type=float, help="stop (resumable) after this wall time")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    for field in dataclasses.fields(Recipe):
        parser.add_argument("--" + field.name.replace("_", "-"), type=field.type, default=None)


def fields_of(options):
    return {"simulations": options.data, "fields": options.fields, "arrays": options.arrays, "share": options.share}


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    faithful = options.variant == "faithful"
    given = {f.name: getattr(options, f.name) for f in dataclasses.fields(Recipe) if getattr(options, f.name) is not None}
    recipe = Recipe(**{"mse_steps": 2000 if faithful else 0, **given})
    if options.from_model:
        config, source = continued(options.from_model, options.run)
        Run(options.run, config, recipe, fields_of(options), options.device, source, keep=True).go(options.minutes)
        return
    config = Config(variant=options.variant, stem="full" if faithful else "folded",
                    dims=tuple(int(d) for d in options.dims), up=options.up, use_hyper=not options.no_hyper,
                    hyper_linear=0 if faithful or options.no_hyper else 64)
    Run(options.run, config, recipe, fields_of(options), options.device, options.source).go(options.minutes)
