# SPDX-License-Identifier: Apache-2.0
"""Cells (what to measure) and rows (what was measured), as plain dicts for JSON and CSV."""
import csv

COLUMNS = ("field", "codec", "effort", "kind", "target", "bytes", "ratio", "nrmse", "max_err_rel", "mbs_in", "mbs_out",
           "peak_mem", "bound_ok", "layout", "coder", "param", "note")

NRMSE_TARGETS = (1e-2, 3e-3, 1e-3, 3e-4, 1e-4)
BOUND_TARGETS = (1e-2, 1e-3, 1e-4, 1e-5)
STEP_TARGET = 0.45  # pointwise bound of packed fields, in steps of their grid: lossless in effect
QUICK = {"nrmse": (1e-2, 1e-3), "bound": (1e-2, 1e-4)}
TARGETS = {"nrmse": NRMSE_TARGETS, "bound": BOUND_TARGETS, "step": (STEP_TARGET,), "lossless": (0.0,)}
SMALL_STREAM = 2048  # bytes; below, differences are judged in bytes, not as a ratio
SMALL_DIFFERENCE = 200


def cell(codec, effort, kind, target):
    return {"codec": codec, "effort": effort, "kind": kind, "target": target}


def key(entry):
    """Identifies a cell or row within its field."""
    return f"{entry['codec']}|{entry['effort']}|{entry['kind']}|{float(entry['target']):g}"


def failed(field, entry, note):
    """The row of a cell that gave no result."""
    row = dict.fromkeys(COLUMNS)
    row.update(entry, field=field, bound_ok=0, note=note)
    return row


def usable(row):
    return bool(row.get("bytes")) and bool(row.get("bound_ok"))


def write_csv(path, rows):
    with open(path, "w", newline="", encoding="utf-8") as f:
        writer = csv.DictWriter(f, COLUMNS, extrasaction="ignore")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: _text(row.get(k)) for k in COLUMNS})


def _text(value):
    return "" if value is None else f"{value:.7g}" if isinstance(value, float) else value


def read_stored(path):
    """Rows of a CSV of peers' figures (columns field, peer, layout, kind, target, bytes, bound_broken, ...)."""
    rows = []
    with open(path, newline="", encoding="utf-8") as f:
        for line in csv.DictReader(f):
            size, seconds_in, seconds_out = (float(line.get(k) or 0) for k in ("bytes", "seconds_in", "seconds_out"))
            raw_mb = size * float(line.get("ratio") or 0) / 1e6
            rows.append({
                "field": line["field"], "codec": line["peer"], "effort": "stored", "kind": line["kind"],
                "target": float(line["target"]), "bytes": int(size), "ratio": float(line["ratio"]),
                "nrmse": float(line["nrmse"] or 0), "max_err_rel": float(line["max_err_rel"] or 0),
                "mbs_in": raw_mb / seconds_in if seconds_in else None,
                "mbs_out": raw_mb / seconds_out if seconds_out else None, "peak_mem": None,
                "bound_ok": int(line.get("bound_broken") != "1"), "layout": line["layout"], "coder": "",
                "param": line.get("param"), "note": line.get("note", "")})
    return rows
