# SPDX-License-Identifier: Apache-2.0
"""Read model files as a loader must and say what is in them, or why they are refused."""
import pathlib

from .. import fmcw


def arguments(parser):
    parser.add_argument("files", nargs="+")


def run(options):
    bad = 0
    for path in options.files:
        try:
            model = fmcw.read(pathlib.Path(path).read_bytes())
        except fmcw.BadModel as error:
            print(f"{path}: refused: {error}")
            bad = 1
            continue
        size = sum(a.nbytes for a in model.arrays.values())
        parts = ", ".join(f"{name} {len(program.ops)} ops" for name, program in model.programs.items())
        print(f"{path}: {model.architecture}, {size} bytes in {len(model.arrays)} arrays, {parts}")
    return bad
