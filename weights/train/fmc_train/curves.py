# SPDX-License-Identifier: Apache-2.0
"""Rate-distortion curves: comparison at equal error, CSV, and plots where matplotlib is installed."""
import csv
import math

import numpy as np


def mean_rate_change(curve, reference):
    """Mean of log(bits / reference bits) at equal error over the errors both curves cover; None without overlap.

    curve, reference: lists of (error, bits), both positive. Interpolated in logarithms; exp(result) - 1 is the usual
    Bjontegaard change of rate.
    """
    a, b = (sorted((math.log(e), math.log(r)) for e, r in c if e > 0 and r > 0) for c in (curve, reference))
    if len(a) < 2 or len(b) < 2:
        return None
    low, high = max(a[0][0], b[0][0]), min(a[-1][0], b[-1][0])
    if high - low < 1e-6:
        return None
    at = np.linspace(low, high, 33)
    rate = [np.interp(at, [e for e, _ in c], [r for _, r in c]) for c in (a, b)]
    return float((rate[0] - rate[1]).mean())


def append_csv(path, row):
    new = not path.exists()
    with open(path, "a", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        if new:
            writer.writeheader()
        writer.writerow(row)


def _pyplot():
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.use("Agg")
    from matplotlib import pyplot
    return pyplot


def plot_training(csv_path, png_path):
    pyplot = _pyplot()
    if pyplot is None or not csv_path.exists():
        return
    with open(csv_path) as file:
        rows = list(csv.DictReader(file))
    steps = [int(r["step"]) for r in rows]
    figure, axes = pyplot.subplots(1, 2, figsize=(10, 3.6))
    axes[0].plot(steps, [100 * float(r["rate_change"]) for r in rows], ".-")
    axes[0].set(xlabel="step", ylabel="bits at equal error against step 0, %", title="held-out fields")
    known = [(s, float(r["train_loss"])) for s, r in zip(steps, rows) if float(r["train_loss"])]
    axes[1].plot([s for s, _ in known], [loss for _, loss in known], ".-")
    axes[1].set(xlabel="step", ylabel="training loss (smoothed)")
    figure.tight_layout()
    figure.savefig(png_path, dpi=110)
    pyplot.close(figure)


def plot_rate_distortion(curves, png_path, title=""):
    """curves: label -> list of (nrmse, bits per sample)."""
    pyplot = _pyplot()
    if pyplot is None:
        return
    figure, axis = pyplot.subplots(figsize=(6, 4.5))
    for label, points in curves.items():
        points = sorted(points)
        axis.loglog([e for e, _ in points], [r for _, r in points], ".-", label=label)
    axis.set(xlabel="NRMSE", ylabel="bits per sample", title=title)
    axis.grid(True, which="both", alpha=0.3)
    axis.legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(png_path, dpi=110)
    pyplot.close(figure)
