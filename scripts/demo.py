#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The demo's table and picture: demo.py FIELD.npy PICTURE.png

Every codec at the same pointwise bounds on one core; errors are computed here, in f64, nobody's word is taken.
"""
import pathlib
import sys
import time

import matplotlib
import numpy as np

matplotlib.use("Agg")
ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "bindings" / "python"), str(ROOT / "bench")]
import fmc  # noqa: E402
from fmcbench import peers  # noqa: E402
from matplotlib import pyplot  # noqa: E402

BOUNDS = (1e-2, 1e-3, 1e-4)
PICTURE_BOUND = 1e-2


class Ours:
    def __init__(self, effort):
        self.name, self.effort = f"fmc effort {effort}", effort

    def encode(self, a, bound, extent):
        return fmc.compress(a, abs=bound * extent, effort=self.effort, threads=1)

    def decode(self, data, a):
        return fmc.decompress(data, threads=1)


class Theirs:
    def __init__(self, peer):
        self.name, self.peer = peer.name, peer

    def encode(self, a, bound, extent):
        return self.peer.encode(a, "", "bound", bound, extent)

    def decode(self, data, a):
        return self.peer.decode(data, a.shape, a.dtype, "")


def codecs():
    yield Ours(5)
    yield Ours(1)
    for peer in (peers.SZ3(), peers.SPERR()):
        reason = peer.reason_missing()
        if reason:
            print(f"SKIP {peer.name}: {reason}")
        else:
            yield Theirs(peer)


def seconds(work):
    start = time.process_time()
    result = work()
    return result, max(time.process_time() - start, 1e-9)


def row(codec, a, bound):
    extent = float(a.max()) - float(a.min())
    data, t_in = seconds(lambda: codec.encode(a, bound, extent))
    back, t_out = seconds(lambda: codec.decode(data, a))
    worst = float(np.max(np.abs(back.astype("f8") - a))) / extent
    size = a.nbytes / 1e6
    print(f"{bound:8.0e}  {codec.name:13} {worst:11.4e} {worst / bound:11.7f} {'' if worst <= bound else 'over':4} "
          f"{a.nbytes / len(data):8.1f} {size / t_in:8.1f} {size / t_out:8.1f}")
    return back


def draw(a, back, path):
    step = len(a) // 2
    error = back[step].astype("f8") - a[step]
    top = float(np.max(np.abs(a[step])))
    panels = [("original", a[step], top, "RdBu"), (f"decoded, bound {PICTURE_BOUND:g} of max - min", back[step], top, "RdBu"),
              ("error", error, float(np.max(np.abs(error))) or 1.0, "PuOr")]
    figure, axes = pyplot.subplots(1, 3, figsize=(14, 4.6), constrained_layout=True)
    for axis, (title, plane, limit, colours) in zip(axes, panels):
        image = axis.imshow(plane, cmap=colours, vmin=-limit, vmax=limit)
        axis.set_title(title)
        axis.set_axis_off()
        figure.colorbar(image, ax=axis, shrink=0.8)
    figure.savefig(path, dpi=110)


def main():
    a = np.load(sys.argv[1])
    print(f"{a.nbytes / 1e6:.1f} MB, {a.shape} {a.dtype}; bound and worst error relative to max - min\n")
    print("   bound  codec         worst error  of bound           ratio  MB/s in MB/s out")
    ours = list(codecs())
    for bound in BOUNDS:
        for codec in ours:
            back = row(codec, a, bound)
            if bound == PICTURE_BOUND and codec is ours[0]:
                draw(a, back, sys.argv[2])
        print()
    print(f"picture: {sys.argv[2]}")


if __name__ == "__main__":
    main()
