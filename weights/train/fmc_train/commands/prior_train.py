# SPDX-License-Identifier: Apache-2.0
"""Train a prior: crops, network, start of the adaptive model. Every stage that is finished is kept; run again to go on."""
import json
import pathlib
import time

import numpy as np

from .. import fmcw, prior, prior_watch


def arguments(parser):
    parser.add_argument("--run", required=True, help="folder of the run")
    parser.add_argument("--tool", required=True, help="prior_watch of a build (ninja weights/train/tool/prior_watch)")
    parser.add_argument("--data", action="append", default=[], help="folder of `fmc_train data`")
    parser.add_argument("--fields", action="append", default=[], help="folder of .npy beside a manifest.json; repeated")
    parser.add_argument("--hold-out", action="append", default=[], help="part of names of fields that are left out")
    parser.add_argument("--times", type=int, default=1, help="crops of each field")
    parser.add_argument("--minutes", type=float, default=15, help="of training the network")
    parser.add_argument("--samples", type=float, default=7000, help="values of each crop")
    parser.add_argument("--start-crops", type=int, default=800, help="crops that the start of the adaptive model is made of")
    parser.add_argument("--width", type=int, nargs=2, default=(32, 32), help="hidden layers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", required=True)


def log(text):
    print(time.strftime("%H:%M:%S"), text, flush=True)


def neutral(layers):
    start, seen = prior.neutral_counters()
    mix, mix_seen = prior.neutral_mix()
    return prior.build(layers, start, seen, mix, mix_seen, {})


def zero_layers(width):
    return [(np.zeros(s, int), np.zeros((prior.PLACES, s[0]) if i == 0 else s[0], int), np.zeros(s[0], int))
            for i, s in enumerate(prior.shapes(*width))]


def layers_of(model):
    """[(weight, bias, shift)] of a model."""
    out = []
    for i, (n_out, n_in) in enumerate(prior.shapes(model.numbers["width1"], model.numbers["width2"])):
        a = model.arrays
        out.append((a[f"layer{i}/weight"].reshape(n_out, n_in).astype(int),
                    a[f"layer{i}/bias"].reshape((prior.PLACES, n_out) if i == 0 else n_out).astype(int),
                    a[f"layer{i}/shift"].astype(int)))
    return out


def base_of(model):
    """Start and mix of a model, as prior_watch.pool wants them."""
    a = model.arrays
    start = {n: a[f"start/{n}"] for n in prior.COUNTERS}
    seen = {n: a[f"seen/{n}"] for n in prior.COUNTERS}
    return start, seen, a["mix/weight"].reshape(prior.SETS, prior.INPUTS).astype(int), a["mix/seen"].astype(int)


def once(path, make):
    """JSON that is made if it is not there yet."""
    if not path.exists():
        value = make()
        path.write_text(json.dumps(value))
    return json.loads(path.read_text())


def write(path, model):
    pathlib.Path(path).write_bytes(fmcw.write(model))


def run(options):
    from .. import prior_net  # needs PyTorch

    folder = pathlib.Path(options.run)
    folder.mkdir(parents=True, exist_ok=True)
    files = [f for d in options.data for f in prior_watch.simulations(d)]
    files += options.times * 2 * [f for d in options.fields for f in prior_watch.free_fields(d, options.hold_out)]
    jobs = prior_watch.make_jobs(files, folder / "crops", options.seed, options.times, log=log)
    blank, start = folder / "blank.fmcw", folder / "start.fmcw"
    write(blank, neutral(zero_layers(options.width)))
    listing = once(folder / "samples.json", lambda: prior_watch.watch(options.tool, blank, jobs, "-", folder / "samples.bin",
                                                                      options.samples))
    log(f"{sum(e[2] for e in listing)} samples of {sum(e[1] for e in listing)} values")

    def train():
        net = prior_net.Net(*options.width)
        x, weight = prior_net.load_samples(folder / "samples.bin", listing)
        held = prior_net.train(net, x, weight, 60 * options.minutes, folder / "net.pt", log, seed=options.seed)
        write(start, neutral(net.layers()))
        return held

    held = once(folder / "net.json", train)
    lines = jobs.read_text().splitlines()
    part = folder / "start.txt"
    part.write_text("\n".join(lines[::max(1, len(lines) // options.start_crops)]) + "\n")
    for name, weights in (("first", start), ("second", folder / "first.fmcw")):
        target = folder / f"{name}.fmcw"
        if target.exists():
            continue
        prior_watch.watch(options.tool, weights, part, folder / "states.bin")
        model = fmcw.read(weights.read_bytes())
        parts = prior_watch.pool(folder / "states.bin", *base_of(neutral(layers_of(model))))
        record = {"architecture": "prior", "crops": len(listing), "samples": sum(e[2] for e in listing), "held_out_bits": held,
                  "minutes": options.minutes, "seed": options.seed, "fields": sorted({pathlib.Path(f).stem for f in files
                                                                                     if options.fields and str(f).startswith(tuple(options.fields))}),
                  "data": "own simulations of fmc_train/solvers" if options.data else "none"}
        write(target, prior.build(layers_of(model), *parts, record))
        log(f"{target}: written")
    pathlib.Path(options.out).write_bytes((folder / "second.fmcw").read_bytes())
    log(f"{options.out}: done")
