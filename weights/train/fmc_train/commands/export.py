# SPDX-License-Identifier: Apache-2.0
"""Checkpoint of a run to a model file. A run that is not yet quantisation aware is calibrated first (and loses a little)."""
import json
import pathlib
import subprocess

import torch

from .. import data, fmcw
from ..export import export, load_checkpoint


def arguments(parser):
    parser.add_argument("--run", required=True, help="folder of the run")
    parser.add_argument("--checkpoint", default="latest.pt")
    parser.add_argument("--out", required=True)
    parser.add_argument("--data", action="append", default=[], help="to calibrate a run that is not quantised")


def commit():
    try:
        return subprocess.run(["git", "rev-parse", "HEAD"], cwd=pathlib.Path(__file__).parent, text=True, check=True,
                              capture_output=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def run(options):
    folder = pathlib.Path(options.run)
    model, state = load_checkpoint(folder / options.checkpoint)
    record = json.loads((folder / "config.json").read_text())
    aware = model.synthesis.quantised
    if not aware:
        entries = [e for f in options.data for e in data.entries_of_simulations(f, "train")]
        model.calibrate(torch.from_numpy(data.Crops(entries, 1).batch(8, 8, 128)))
        model.set_quantised(True)
    record["training"] = {"steps": state.get("step", 0), "seconds": round(state.get("seconds", 0)),
                          "quantisation_aware": bool(aware), "commit": commit(), "torch": torch.__version__}
    raw = fmcw.write(export(model, record))
    pathlib.Path(options.out).write_bytes(raw)
    print(f"{options.out}: {len(raw)} bytes")
