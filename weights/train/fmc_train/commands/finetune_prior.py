# SPDX-License-Identifier: Apache-2.0
"""Go on from a prior on one's own fields: minutes, and `fmc compress --model` takes the result."""
import pathlib
import tempfile

from .. import fmcw, prior, prior_watch
from .prior_train import base_of, layers_of, log, write


def arguments(parser):
    parser.add_argument("--data", action="append", required=True, help="a .npy; repeated")
    parser.add_argument("--base", required=True, help="the prior to begin with, e.g. weights/prior.fmcw")
    parser.add_argument("--tool", required=True, help="prior_watch of a build (ninja weights/train/tool/prior_watch)")
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--crops", type=int, default=32, help="of each file")
    parser.add_argument("--nrmse", type=float, action="append", default=[], help="bounds that will be used; repeated")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--linear", action="store_true", help="change so little that --embed can store it: the last layer, and of the "
                        "start what is worth its bytes")
    parser.add_argument("--chunk", type=lambda t: [int(v) for v in t.split(",")], default=[],
                        help="with --linear: extents as for fmc compress --chunk; 0: the whole axis")
    parser.add_argument("--out", required=True)


def tune_linear(options):
    from .. import prior_linear  # needs PyTorch

    with tempfile.TemporaryDirectory() as name:
        write(options.out, prior_linear.tune(options, pathlib.Path(name), layers_of, base_of, log))
    log(f"{options.out}: written")


def run(options):
    if options.linear:
        return tune_linear(options)
    from .. import prior_net  # needs PyTorch

    base = fmcw.read(pathlib.Path(options.base).read_bytes())
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        bounds = [(4, b) for b in options.nrmse] or None
        jobs = prior_watch.make_jobs(options.data, folder / "crops", options.seed, options.crops, bounds, log)
        listing = prior_watch.watch(options.tool, options.base, jobs, "-", folder / "samples.bin", 40000)
        x, weight = prior_net.load_samples(folder / "samples.bin", listing)
        net = prior_net.Net.from_layers(layers_of(base))
        held = prior_net.train(net, x, weight, 60 * options.minutes, None, log, 1e-3, options.seed)
        tuned = prior.build(net.layers(), *base_of(base), {})
        write(folder / "tuned.fmcw", tuned)
        prior_watch.watch(options.tool, folder / "tuned.fmcw", jobs, folder / "states.bin")
        parts = prior_watch.pool(folder / "states.bin", *base_of(base), strongest=100)
    record = {"architecture": "prior", "fine_tuned_on": [pathlib.Path(d).stem for d in options.data], "held_out_bits": held,
              "base": base.record}
    write(options.out, prior.build(net.layers(), *parts, record))
    log(f"{options.out}: written")
