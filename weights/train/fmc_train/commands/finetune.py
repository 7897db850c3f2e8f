# SPDX-License-Identifier: Apache-2.0
"""Shipped weights to weights for your own data: trains on the first nine tenths of the frames of every array, judges on the
rest, writes a model file for `fmc compress --model`. docs/finetune.md"""
import torch

from .. import finetune
from ..train import exact_arithmetic


def arguments(parser):
    parser.add_argument("--data", nargs="+", required=True, help=".npy files, time first, at least 24 frames")
    parser.add_argument("--out", required=True, help="model file to write")
    parser.add_argument("--source", default=str(finetune.SHIPPED), help="model file or checkpoint; default: the shipped weights")
    parser.add_argument("--minutes", type=float, default=10, help="time to train for, without evaluation")
    parser.add_argument("--steps", type=int, help="train for so many steps instead")
    parser.add_argument("--rate", type=float, help="learning rate (5e-4)")
    parser.add_argument("--batch", type=int, help="small crops a step (2)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--run", help="folder of the run, resumable; default: OUT.run")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")


def run(options):
    torch.set_num_threads(options.threads)
    exact_arithmetic()
    changes = {"steps": options.steps} if options.steps else {"budget_minutes": options.minutes}
    changes.update({n: getattr(options, n) for n in ("rate", "batch", "seed") if getattr(options, n) is not None})
    before, after = finetune.finetune(options.data, options.source, options.out, options.run or options.out + ".run", changes,
                                      options.device)
    print(f"\n{options.out}, last frames of {len(after)} arrays\n\n{finetune.report(before, after)}")
