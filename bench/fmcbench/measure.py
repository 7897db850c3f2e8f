# SPDX-License-Identifier: Apache-2.0
"""Measure cells of one field. Errors are computed here, in double precision, over the valid samples.

Run as a program it is the worker of runner.py: a task as JSON on standard input, for every cell a line "begin" and a
line "row" as JSON on standard output, so that a codec that crashes takes one cell with it and no more.
"""
import ctypes
import json
import math
import os
import re
import sys
import time

import numpy as np

from . import fields, fill, ours, peers, rows

PEER_SLACK = 1e-6  # relative: peers are forgiven rounding to the array's type
OWN_SLACK = 1e-12  # relative: only the rounding of this file's own arithmetic


class Sample:
    """An array with what every codec and every error figure needs: valid samples, range, copies without holes."""

    def __init__(self, array):
        self.array = array
        self.valid = np.isfinite(array)
        self.whole = bool(self.valid.all())
        good = array if self.whole else array[self.valid]
        self.range = float(good.max()) - float(good.min()) if good.size else 0.0
        self.fills = {"": array} if self.whole else {"": fill.mean_fill(array, self.valid),
                                                     "smooth": fill.smooth_fill(array, self.valid)}
        self.shortlists = {}  # peers.best_lossy remembers here what suits this array
        self._reference = good.astype(np.float64)

    def errors(self, decoded):
        """(NRMSE, largest error / range) over the valid samples."""
        d = (decoded if self.whole else decoded[self.valid]).astype(np.float64) - self._reference
        if not np.isfinite(d).all():
            return math.inf, math.inf
        worst = float(np.abs(d).max(initial=0.0))
        rmse = math.sqrt(float(np.mean(d * d))) if d.size else 0.0
        if self.range == 0:
            return (0.0, 0.0) if worst == 0 else (math.inf, math.inf)
        return rmse / self.range, worst / self.range

    def missing_kept(self, decoded):
        """NaN and Inf came back bit for bit."""
        bits = f"u{self.array.itemsize}"
        hole = ~self.valid
        return bool(np.array_equal(self.array.view(bits)[hole], decoded.view(bits)[hole]))


class Meter:
    """Wall time and extra peak memory of a block of code."""

    def __enter__(self):
        _trim()
        self._before = _status_kib("VmRSS") if _reset_peak() else None
        self._start = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self._start
        self.peak = None
        if self._before is not None:
            self.peak = max(0, (_status_kib("VmHWM") - self._before) * 1024)


def _trim():
    """Hand freed memory back, so that the next peak is the next call's own."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (AttributeError, OSError, TypeError):
        pass


def _reset_peak():
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
        return True
    except OSError:
        return False


def _status_kib(name):
    with open("/proc/self/status") as f:
        return int(re.search(rf"^{name}:\s+(\d+)", f.read(), re.M).group(1))


# --------------------------------------------------------------------------------------------------------- cells


def measure_own(field, sample, entry):
    """Row of fmc: one call with the target as its bound, no search; the stream must hold what it promises."""
    kind, target = entry["kind"], entry["target"]
    bound = {"nrmse": {"nrmse": target}, "bound": {"rel": target}, "lossless": {"lossless": True},
             "step": {"abs": target * (field.step or 0.0)}}[kind]
    with Meter() as into:
        data = ours.compress(sample.array, entry["effort"], bound)
    with Meter() as back:
        decoded = ours.decompress(data)
    nrmse, worst = sample.errors(decoded)
    limit = {"nrmse": target, "bound": target, "lossless": 0.0,
             "step": target * (field.step or 0.0) / (sample.range or 1.0)}[kind] * (1 + OWN_SLACK)
    ok = (nrmse if kind == "nrmse" else worst) <= limit and sample.missing_kept(decoded)
    if kind == "lossless":
        ok = decoded.tobytes() == sample.array.tobytes()
    coder, detail = ours.coder_of(data)
    return _row(field, entry, sample, len(data), nrmse, worst, into, back, ok, detail, coder, target, "")


def measure_peer(field, sample, entry):
    """Row of a peer in the layout and variant that give the fewest bytes at the target."""
    peer = peers.BY_NAME[entry["codec"]]
    if entry["kind"] == "lossless":
        best = peers.best_lossless(peer, sample)
    else:
        best = peers.best_lossy(peer, sample, entry["kind"], entry["target"])
    if best is None:
        return rows.failed(field.name, entry, "no layout gave a result")
    source = sample.array if best.fill is None else sample.fills[best.fill]
    work = best.layout.apply(source)
    with Meter() as into:
        data = peer.encode(work, best.variant, entry["kind"], best.param, sample.range)
    with Meter() as back:
        decoded = peer.decode(data, work.shape, work.dtype, best.variant)
    decoded = best.layout.undo(decoded, source.shape)
    nrmse, worst = sample.errors(decoded)
    limit = entry["target"] * (1 + PEER_SLACK)
    ok = (nrmse if entry["kind"] == "nrmse" else worst) <= limit
    if entry["kind"] == "lossless":
        ok = decoded.tobytes() == source.tobytes()
    label = ":".join(part for part in (best.layout.label, best.variant, best.fill) if part)
    note = "" if sample.whole or best.fill is None else "missing samples filled, mask not stored"
    return _row(field, entry, sample, len(data), nrmse, worst, into, back, ok, label, "", best.param, note)


def _row(field, entry, sample, size, nrmse, worst, into, back, ok, layout, coder, param, note):
    raw = sample.array.nbytes
    peaks = [m.peak for m in (into, back) if m.peak is not None]
    return {"field": field.name, **entry, "bytes": size, "ratio": raw / size, "nrmse": nrmse, "max_err_rel": worst,
            "mbs_in": raw / 1e6 / into.seconds, "mbs_out": raw / 1e6 / back.seconds,
            "peak_mem": max(peaks) if peaks else None, "bound_ok": int(ok), "layout": layout, "coder": coder,
            "param": param, "note": note}


def measure(field, sample, entry):
    """Row of one cell; what a codec raises becomes the note of a failed row."""
    try:
        return (measure_own if entry["codec"] == ours.NAME else measure_peer)(field, sample, entry)
    except Exception as error:  # whatever a codec throws belongs into its row
        return rows.failed(field.name, entry, f"{type(error).__name__}: {error}")


# -------------------------------------------------------------------------------------------------------- worker


def main():
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what codecs print goes to standard error
    task = json.load(sys.stdin)
    field = fields.Field(**task["field"])
    field.shape = tuple(field.shape)
    sample = Sample(field.load())
    for entry in task["cells"]:
        print(json.dumps({"begin": entry}), file=out, flush=True)
        print(json.dumps({"row": measure(field, sample, entry)}), file=out, flush=True)
    print(json.dumps({"done": True}), file=out, flush=True)


if __name__ == "__main__":
    main()
