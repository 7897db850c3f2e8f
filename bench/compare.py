#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compare fmc with its peers on the .npy fields of a folder: ratio, error, speed, memory at equal error.

Writes rows.csv, summary.md, *.png, index.html and speed.csv. DATA_DIR/manifest.json, or the one above it, says of each field
its kind (real, simulation), packing, mask and time axis; without one all fields are one group.

Needs the PyPI packages numpy and cffi, and for the peers (each is left out with a message if its package is missing):
  pysz (SZ3), imagecodecs (SPERR, JPEG 2000, zstd), zfpy (ZFP; in a Python of its own, named by FMC_ZFP_PYTHON),
  pcodec, fpzip; for the plots matplotlib.
libfmc is found as bindings/python says (FMC_LIBRARY, build/lib of this tree, the system), or given with --library.

  bench/compare.py DATA --out OUT --stored peers.csv --stored-only     fmc alone against stored figures
  bench/compare.py DATA --out OUT --stored peers.csv --speed           everything

With the peers measured it takes about a quarter of an hour on one core; from the cache, with --efforts 1,5, about two minutes.
"""
import argparse
import os
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from fmcbench import fields, fill, ours, peers, rows, runner, tables  # noqa: E402


def parse_arguments(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", metavar="DATA_DIR", help="folder of .npy fields")
    p.add_argument("--out", required=True, metavar="DIR", help="where the results go")
    p.add_argument("--fields", type=_names, metavar="A,B", help="only these fields")
    p.add_argument("--efforts", type=_efforts, metavar="1,5,9", help="of fmc (default 1,5,9; 5 with --stored-only)")
    p.add_argument("--kinds", type=_names, default=list(rows.TARGETS), metavar="K,...",
                   help="of targets: " + ",".join(rows.TARGETS) + " (default all)")
    p.add_argument("--peers", type=_names, metavar="P,...",
                   help="measure these peers: " + ",".join(peers.BY_NAME) + " (default all); none for no peer")
    p.add_argument("--stored", metavar="CSV", help="figures of further peers, measured before")
    p.add_argument("--stored-only", action="store_true", help="run no peer, compare with the stored figures alone")
    p.add_argument("--planes", action="store_true", help="also one 2-D plane of every field, as a group of its own")
    p.add_argument("--free-masks", action="store_true",
                   help="do not charge lossy peers for the mask of missing samples that they were not given")
    p.add_argument("--quick", action="store_true", help="effort 5, two targets of NRMSE and of the bound")
    p.add_argument("--speed", action="store_true", help="also the speed and memory section (machine otherwise idle)")
    p.add_argument("--speed-only", action="store_true", help="only that section")
    p.add_argument("--jobs", type=int, default=1, metavar="N", help="fields at a time (default 1)")
    p.add_argument("--timeout", type=float, default=300, metavar="S", help="per row (default 300)")
    p.add_argument("--library", metavar="PATH", help="the libfmc to measure")
    p.add_argument("--no-plots", action="store_true", help="no pictures")
    p.add_argument("--cache", metavar="DIR", help="rows measured before, by version of the codec (default OUT/cache)")
    p.add_argument("--no-cache", action="store_true", help="measure everything again")
    args = p.parse_args(argv)
    unknown = set(args.kinds) - set(rows.TARGETS) | set(args.peers or []) - set(peers.BY_NAME) - {"none"}
    if unknown:
        p.error("unknown: " + ", ".join(sorted(unknown)))
    if args.stored_only and not args.stored:
        p.error("--stored-only needs --stored CSV")
    args.efforts = args.efforts or ([5] if args.quick or args.stored_only else [1, 5, 9])
    return args


def _names(text):
    return [name for name in text.split(",") if name]


def _efforts(text):
    return [int(n) for n in text.split(",")]


# ----------------------------------------------------------------------------------------------------------- plan


def targets(args, kind):
    return rows.QUICK.get(kind, ()) if args.quick else rows.TARGETS[kind]


def own_cells(args, field):
    kinds = [k for k in args.kinds if k != "step" or (field.step and not field.plane)]
    return [rows.cell(ours.NAME, e, k, t) for e in args.efforts for k in kinds for t in targets(args, k)]


def peer_cells(args, active):
    return [rows.cell(p.name, "", k, t) for p in active for k in args.kinds if k in p.kinds for t in targets(args, k)]


def active_peers(args):
    """The peers that shall and can run; says why others cannot."""
    if args.stored_only or args.peers == ["none"]:
        return []
    found = []
    for peer in peers.ALL:
        if args.peers and peer.name not in args.peers:
            continue
        reason = peer.reason_missing()
        if reason:
            say(f"without {peer.name}: {reason}")
        else:
            found.append(peer)
    return found


def with_fmc():
    try:
        ours.library_hash()
        return True
    except ImportError as error:
        say(f"without fmc: {error}")
        return False


# ------------------------------------------------------------------------------------------------------------ run


def say(text):
    print(text, file=sys.stderr, flush=True)


def report_progress(n, total, field, found):
    bad = sum(1 for r in found if not rows.usable(r))
    say(f"[{n}/{total}] {field.name}: {len(found)} rows" + (f", {bad} not usable" if bad else ""))


def collect(args, chosen):
    """All rows: measured ones, then stored ones of the chosen fields."""
    active = active_peers(args)
    own = with_fmc()
    codecs = ([ours.NAME] if own else []) + [p.name for p in active]
    cache = runner.Cache(None if args.no_cache else args.cache or os.path.join(args.out, "cache"),
                         runner.identities(codecs))
    plan = [(f, (own_cells(args, f) if own else []) + peer_cells(args, active)) for f in chosen]
    found = runner.run(plan, cache, args.jobs, args.timeout, report_progress)
    if args.stored:
        names = {f.name for f in chosen}
        found += [r for r in rows.read_stored(args.stored) if r["field"] in names]
    return found


def charge_masks(chosen, found):
    """Add the bytes of a mask to the streams of lossy peers that got a filled array: fmc's bring missing samples back."""
    cost = {f.name: fill.mask_bytes(np.isfinite(f.load())) for f in chosen if f.masked}
    for row in found:
        if row["codec"] != ours.NAME and row["kind"] != "lossless" and row.get("bytes") and cost.get(row["field"]):
            row["bytes"] += cost[row["field"]]
            row["note"] = "; ".join(n for n in (row.get("note"), f"{cost[row['field']]} bytes for the mask added") if n)


def write(args, chosen, all_rows, speed_tables):
    out = pathlib.Path(args.out)
    made = []
    if all_rows:
        rows.write_csv(out / "rows.csv", all_rows)
        own, others = tables.split(all_rows)
        gains = tables.gains(chosen, own, others)
        made += tables.all_tables(gains, others)
    else:
        gains = []
    made[1:1] = speed_tables
    text = "\n".join(t.markdown() for t in made)
    (out / "summary.md").write_text("# fmc and its peers\n\n" + text, encoding="utf-8")
    pictures = [] if args.no_plots else draw(out, gains, all_rows)
    (out / "index.html").write_text(page(made, pictures), encoding="utf-8")
    return made


def draw(out, gains, all_rows):
    try:
        from fmcbench import plots
    except ImportError as error:
        say(f"without plots: {error}")
        return []
    return plots.draw(out, gains, all_rows)


def page(made, pictures):
    style = ("body{font:14px sans-serif;margin:2em}table{border-collapse:collapse}"
             "td,th{border:1px solid #ccc;padding:2px 6px}")
    images = "".join(f'<p><img src="{name}" alt="{name}" style="max-width:100%"></p>' for name in pictures)
    return ('<!doctype html><html lang="en"><meta charset="utf-8"><title>fmc and its peers</title>'
            f"<style>{style}</style><h1>fmc and its peers</h1>{images}" + "".join(t.html() for t in made) + "</html>\n")


def main(argv=None):
    args = parse_arguments(argv)
    if args.library:
        os.environ["FMC_LIBRARY"] = os.path.abspath(args.library)
    os.makedirs(args.out, exist_ok=True)
    start = time.time()
    try:
        chosen = fields.discover(args.data, args.fields, args.planes)
        all_rows = [] if args.speed_only else collect(args, chosen)
        if not args.free_masks:
            charge_masks(chosen, all_rows)
    except (OSError, ValueError) as error:
        say(f"compare.py: {error}")
        return 2
    speed_tables = []
    if args.speed or args.speed_only:
        from fmcbench import speed
        speed_tables = speed.section(chosen, args.out, say, args.efforts)
    made = write(args, chosen, all_rows, speed_tables)
    for table in made:
        if not any(word in table.title for word in ("field by field", "under 2 KB", "Peers")):
            print(table.markdown())
    say(f"{args.out}: rows.csv summary.md index.html, {time.time() - start:.0f} s")
    return 1 if any(t.title.startswith("FAILED") for t in made) else 0


if __name__ == "__main__":
    sys.exit(main())
