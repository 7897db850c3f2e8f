# SPDX-License-Identifier: Apache-2.0
"""PNG pictures of a run: gains as a heat map, and rate against error per field."""
import collections
import math

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib import ticker  # noqa: E402

from . import ours, rows, tables  # noqa: E402

COLOURS = {ours.NAME: "black", "SZ3": "tab:orange", "SPERR": "tab:blue", "ZFP": "tab:green", "JPEG2000": "tab:purple",
           "HPEZ": "tab:red", "TTHRESH": "tab:brown"}


def draw(out, gains, all_rows):
    """Names of the pictures written to folder out."""
    made = [_gain_map(out, gains), _rate_curves(out, gains, all_rows, "nrmse"),
            _rate_curves(out, gains, all_rows, "bound")]
    return [name for name in made if name]


def _gain_map(out, gains):
    here = [g for g in gains if g.effort == tables.DEFAULT_EFFORT and g.value]
    if not here:
        return None
    names = sorted({g.field.name for g in here})
    targets = tables.targets_of(here)
    place = {(g.field.name, g.kind, g.target): g.value for g in here}
    grid = [[math.log2(place.get((n, k, t), math.nan)) for k, t in targets] for n in names]
    figure, axes = plt.subplots(figsize=(2 + 0.8 * len(targets), 1.5 + 0.28 * len(names)))
    axes.imshow(grid, cmap="RdYlGn", vmin=-1, vmax=1, aspect="auto")
    for i, n in enumerate(names):
        for j, (k, t) in enumerate(targets):
            if (n, k, t) in place:
                axes.text(j, i, f"{place[n, k, t]:.2f}", ha="center", va="center", fontsize=7)
    axes.set_xticks(range(len(targets)), [tables.target_name(k, t) for k, t in targets], rotation=60, ha="right")
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_title("best peer's bytes / fmc's")
    figure.tight_layout()
    return _save(figure, out, "gains.png")


def _rate_curves(out, gains, all_rows, kind):
    fields = sorted({g.field.name: g.field for g in gains if g.kind == kind}.values(), key=lambda f: f.name)
    if not fields:
        return None
    curves = collections.defaultdict(list)
    for r in all_rows:
        if r["kind"] == kind and rows.usable(r) and r["effort"] in (tables.DEFAULT_EFFORT, "", "stored"):
            curves[r["field"], r["codec"]].append((float(r["target"]), r["bytes"]))
    columns = 5
    lines = -(-len(fields) // columns)
    figure, grid = plt.subplots(lines, columns, figsize=(3.4 * columns, 2.6 * lines), squeeze=False)
    for axes, field in zip(grid.flat, fields):
        count = field.nbytes / field.itemsize
        for (name, codec), points in sorted(curves.items()):
            if name == field.name and codec in COLOURS:
                best = {t: min(b for u, b in points if u == t) for t, _ in points}
                xs = sorted(best)
                axes.loglog(xs, [8 * best[x] / count for x in xs], color=COLOURS[codec], label=codec,
                            linewidth=2 if codec == ours.NAME else 1, marker=".")
        axes.set_title(field.name, fontsize=8)
        axes.tick_params(labelsize=6)
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_minor_locator(ticker.NullLocator())
    for axes in list(grid.flat)[len(fields):]:
        axes.axis("off")
    handles = {}
    for axes in grid.flat:
        lines_here, labels = axes.get_legend_handles_labels()
        handles.update(zip(labels, lines_here))
    figure.legend(handles.values(), handles.keys(), loc="upper center", ncols=len(handles) or 1)
    figure.supxlabel(tables.KIND_NAMES[kind])
    figure.supylabel("bits per sample")
    figure.subplots_adjust(left=0.05, right=0.99, bottom=0.3 / lines, top=1 - 0.25 / lines, hspace=0.35, wspace=0.25)
    return _save(figure, out, f"rate_{kind}.png")


def _save(figure, out, name):
    figure.savefig(out / name, dpi=90)
    plt.close(figure)
    return name
