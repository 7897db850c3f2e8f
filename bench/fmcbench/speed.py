# SPDX-License-Identifier: Apache-2.0
"""Speed and memory: MB/s per core beside SPERR and SZ3, threads, large arrays against small, peak memory.

The codecs take turns in one process on the same field, so that what else the machine does hits all alike; ratios are
taken within a round. One-thread figures are CPU time, two-thread figures wall time.
"""
import collections
import csv
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

from . import measure, ours, peers
from .tables import Table

TARGET = 1e-3  # NRMSE
MIN_BYTES = 2 << 20
ROUNDS = 5
SMALL, MIDDLE, LARGE = 16 << 20, 32 << 20, 256 << 20  # bytes of the enlarged arrays
GOALS = {("fmc 5", "SPERR"): "1.0 / 0.8", ("fmc 1", "SPERR"): "1.8 / 1.3"}
COLUMNS = ("field", "codec", "mbs_in", "mbs_out", "bytes", "nrmse")


def section(chosen, out, say, efforts):
    """Tables of the whole section, of fmc at these efforts; also OUT/speed.csv. Empty without fmc."""
    try:
        ours.library_hash()
    except ImportError as error:
        say(f"no speed section: {error}")
        return []
    fields = [f for f in chosen if f.nbytes > MIN_BYTES and not f.plane]
    made = _beside_peers(fields, out, say, efforts)
    if fields:
        dense = [f for f in fields if not f.masked and len(f.shape) == 3] or fields
        made += _enlarged(max(dense, key=lambda f: f.nbytes), say, [e for e in efforts if e < 9])
    return made


# ----------------------------------------------------------------------------------------------- beside the peers


class _Runner:
    """One codec ready to be timed on one field: its bytes, and a way in and back."""

    def __init__(self, name, encode, decode):
        self.name, self.encode, self.decode = name, encode, decode
        self.rates = []

    def turn(self, megabytes):
        start = time.process_time()
        self.data = self.encode()
        middle = time.process_time()
        self.back = self.decode(self.data)
        end = time.process_time()
        self.rates.append((megabytes / max(middle - start, 1e-9), megabytes / max(end - middle, 1e-9)))

    def median(self):
        return tuple(statistics.median(r[i] for r in self.rates) for i in (0, 1))


def _own_runner(sample, effort):
    return _Runner(f"fmc {effort}", lambda: ours.compress(sample.array, effort, {"nrmse": TARGET}),
                   ours.decompress)


def _peer_runner(sample, name):
    """The peer at the parameter that meets the target, searched beforehand: its search is not timed."""
    peer = peers.BY_NAME[name]
    if peer.reason_missing():
        return None
    best = peers.best_lossy(peer, sample, "nrmse", TARGET)
    if best is None:
        return None
    work = best.layout.apply(sample.fills[best.fill])
    return _Runner(name, lambda: peer.encode(work, best.variant, "nrmse", best.param, sample.range),
                   lambda data: best.layout.undo(peer.decode(data, work.shape, work.dtype, best.variant),
                                                 sample.array.shape))


def measure_field(field, efforts):
    """Rows of COLUMNS for one field: the median rates of each codec over the rounds."""
    sample = measure.Sample(field.load())
    runners = [_own_runner(sample, e) for e in efforts] + [_peer_runner(sample, n) for n in ("SPERR", "SZ3")]
    runners = [r for r in runners if r]
    for turn in range(ROUNDS + 1):
        for runner in runners:
            gc.collect()
            runner.turn(sample.array.nbytes / 1e6)
            if turn == 0:
                runner.rates.clear()  # first touch of memory and code
    return [dict(zip(COLUMNS, (field.name, r.name, *r.median(), len(r.data), sample.errors(r.back)[0])))
            for r in runners]


def _beside_peers(fields, out, say, efforts):
    found = []
    for i, field in enumerate(fields, 1):
        answer, reason = _in_process("field", {"field": vars(field), "efforts": efforts})
        say(f"[speed {i}/{len(fields)}] {field.name}" + (f": {reason}" if reason else ""))
        found += answer or []
    if not found:
        return []
    with open(pathlib.Path(out) / "speed.csv", "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, COLUMNS)
        writer.writeheader()
        writer.writerows(found)
    return [_ratio_table(found, efforts), _rate_table(found)]


def _ratio_table(found, efforts):
    place = {(r["field"], r["codec"]): r for r in found}
    names = sorted({r["field"] for r in found})
    body = []
    for own in [f"fmc {e}" for e in efforts]:
        for other in ("SPERR", "SZ3", "fmc 5"):
            pairs = [(place[n, own], place[n, other]) for n in names if (n, own) in place and (n, other) in place]
            if pairs and own != other:
                into, back, size = (statistics.median(a[k] / b[k] for a, b in pairs)
                                    for k in ("mbs_in", "mbs_out", "bytes"))
                body.append([own, other, len(pairs), f"{into:.2f}", f"{back:.2f}", GOALS.get((own, other), ""),
                             f"{size:.3f}"])
    return Table(f"Speed on one core at NRMSE {TARGET:g}, medians of ratios over fields above 2 MB",
                 ["codec", "against", "fields", "in", "out", "goal in / out", "bytes"], body)


def _rate_table(found):
    codecs = list(collections.OrderedDict.fromkeys(r["codec"] for r in found))
    place = {(r["field"], r["codec"]): r for r in found}
    body = []
    for name in sorted({r["field"] for r in found}):
        line = [name]
        for codec in codecs:
            row = place.get((name, codec))
            line.append(f"{row['mbs_in']:.0f} / {row['mbs_out']:.0f} ({row['bytes']})" if row else "-")
        body.append(line)
    return Table("MB/s in / out on one core (bytes), field by field", ["field"] + codecs, body)


# ------------------------------------------------------------------------------- threads, large arrays and memory


def enlarge(a, size):
    """a continued by reflection along its longest reachable axes to at least size bytes."""
    while a.nbytes < size:
        axis = int(np.argmin(a.shape[-3:])) + max(0, a.ndim - 3)
        parts = min(8, -(-size // a.nbytes))
        turned = np.flip(a, axis)
        a = np.concatenate([turned if i % 2 else a for i in range(max(2, parts))], axis)
    keep = max(1, int(np.ceil(size / (a.nbytes / a.shape[0]))))
    return np.ascontiguousarray(a[:keep])


def measure_enlarged(field, size, effort, threads):
    """Per number of threads (they take turns): the shortest wall and CPU seconds in and out, and peak memory."""
    array = enlarge(field.load(), size)
    found = {n: {"raw": array.nbytes, "peak": [], "times": []} for n in threads}
    for turn in range(4 if size < LARGE else 1):
        for n in threads:
            gc.collect()
            if turn == 0:
                ours.release()
            with measure.Meter() as into:
                cpu = [time.process_time()]
                data = ours.compress(array, effort, {"nrmse": TARGET}, n)
                cpu.append(time.process_time())
            if turn == 0:
                ours.release()
            with measure.Meter() as back:
                ours.decompress(data, n)
                cpu.append(time.process_time())
            found[n]["times"].append((into.seconds, back.seconds, cpu[1] - cpu[0], cpu[2] - cpu[1]))
            found[n]["peak"].append((into.peak, back.peak))
            found[n]["bytes"] = len(data)
    for got in found.values():
        got["in"], got["out"], got["cpu_in"], got["cpu_out"] = (min(t) for t in zip(*got.pop("times")))
        got["peak"] = got["peak"][0]  # of the first turn: later ones find memory that is already there
    return found


def _enlarged(field, say, efforts):
    body = []
    for effort in efforts:
        reference = None
        for size, threads in ((SMALL, (1,)), (LARGE, (1,)), (MIDDLE, (1, 2))):
            task = {"field": vars(field), "size": size, "effort": effort, "threads": threads}
            got, reason = _in_process("enlarged", task)
            say(f"[speed] {field.name} at {size >> 20} MiB, effort {effort}" + (f": {reason}" if reason else ""))
            if not got:
                body.append([effort, size >> 20, threads, reason] + ["-"] * 7)
                continue
            reference = reference or got["1"]
            for n, here in got.items():
                against = (reference, "cpu_") if n == "1" else (got["1"], "")
                body.append(_enlarged_line(effort, n, here, *against))
    note = ("MB/s of wall time and of CPU time. Relative: one thread's CPU time to 16 MiB (goal 1.0), two threads' wall "
            "time to one thread's (goal 1.8; on a machine that is busy it says nothing). Peaks: resident memory beyond "
            "the array itself (in: with two copies of the stream; out: with the result).")
    return [Table(f"Large arrays and threads: {field.name} continued by reflection",
                  ["effort", "MiB", "threads", "wall in", "wall out", "CPU in", "CPU out", "relative in", "relative out",
                   "peak in", "peak out", "bytes"], body, note)]


def _enlarged_line(effort, threads, here, against, clock):
    """A line of the table; `against` is what its relative rates on that clock refer to."""
    raw = here["raw"]
    rates = [f"{raw / 1e6 / here[k]:.1f}" for k in ("in", "out", "cpu_in", "cpu_out")]
    relative = [f"{raw / here[clock + k] / (against['raw'] / against[clock + k]):.2f}" for k in ("in", "out")]
    return [effort, f"{raw / 2**20:.0f}", threads, *rates, *relative, *(_memory(p, raw) for p in here["peak"]),
            here["bytes"]]


def _memory(peak, raw):
    return "-" if peak is None else f"{peak / 2**20:.0f} MiB ({peak / raw:.2f} x array)"


# ---------------------------------------------------------------------------------------------------- own process


def _in_process(what, task):
    """(answer, None) of main() in a fresh process, or (None, why not)."""
    env = dict(os.environ, OMP_NUM_THREADS="1", PYTHONPATH=str(pathlib.Path(__file__).resolve().parents[1]))
    done = subprocess.run([sys.executable, "-m", __name__], input=json.dumps(dict(task, what=what)), env=env,
                          capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        return None, f"ended with {done.returncode}" + (f": {lines[-1]}" if lines else "")
    return json.loads(done.stdout.splitlines()[-1]), None


def main():
    from .fields import Field
    task = json.load(sys.stdin)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    field = Field(**task.pop("field"))
    field.shape = tuple(field.shape)
    what = task.pop("what")
    answer = measure_field(field, **task) if what == "field" else measure_enlarged(field, **task)
    print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
