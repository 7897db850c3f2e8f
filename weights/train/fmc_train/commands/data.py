# SPDX-License-Identifier: Apache-2.0
"""Make training data with our solvers."""
from .. import data


def arguments(parser):
    parser.add_argument("--out", required=True, help="folder; existing jobs are kept and not run again")
    parser.add_argument("--minutes", type=float, required=True, help="CPU minutes to use in this call")
    parser.add_argument("--seed", type=int, default=1)


def run(options):
    print(f"{data.make(options.out, options.minutes, options.seed)} fields written to {options.out}")
