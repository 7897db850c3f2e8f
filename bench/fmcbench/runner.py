# SPDX-License-Identifier: Apache-2.0
"""Run cells in worker processes, a field at a time, with a cache of the rows that came out."""
import collections
import concurrent.futures
import dataclasses
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading

from . import ours, peers, rows

MEASURE_VERSION = 1  # raise it when the way of measuring changes: cached rows are void then


class Cache:
    """Rows in folder/<codec and its version>/<field and its contents>.json. folder None: no cache."""

    def __init__(self, folder, identities):
        self._folder = pathlib.Path(folder) if folder else None
        self._identities = identities
        self._lock = threading.Lock()
        self._pages = {}

    def get(self, field, entry):
        row = self._page(field, entry["codec"]).get(rows.key(entry)) if self._folder else None
        return dict(row, field=field.name) if row else None

    def put(self, field, row):
        if not self._folder or row.get("bytes") is None:
            return
        with self._lock:
            path = self._path(field, row["codec"])
            page = self._page(field, row["codec"])
            page[rows.key(row)] = row
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = path.with_suffix(f".{os.getpid()}.tmp")
            scratch.write_text(json.dumps(page), encoding="utf-8")
            scratch.replace(path)

    def _path(self, field, codec):
        identity = hashlib.sha256(f"{MEASURE_VERSION} {self._identities[codec]}".encode()).hexdigest()[:16]
        contents = hashlib.sha256(f"{field.sha256} {field.plane} {field.step}".encode()).hexdigest()[:12]
        return self._folder / f"{codec}-{identity}" / f"{field.name}-{contents}.json"

    def _page(self, field, codec):
        path = self._path(field, codec)
        if path not in self._pages:
            try:
                self._pages[path] = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._pages[path] = {}
        return self._pages[path]


def identities(codecs):
    """What the rows of each codec depend on: the hash of libfmc, the version of a peer's package."""
    return {c: ours.library_hash() if c == ours.NAME else peers.BY_NAME[c].version() for c in codecs}


def run(plan, cache, jobs, timeout, progress=None):
    """Rows for plan, a list of (field, cells): from the cache or measured, in the plan's order."""
    results = [{} for _ in plan]
    todo = []
    for i, (field, cells) in enumerate(plan):
        for entry in cells:
            row = cache.get(field, entry)
            if row:
                results[i][rows.key(entry)] = row
        missing = [e for e in cells if rows.key(e) not in results[i]]
        if missing:
            todo.append((i, field, missing))
    todo.sort(key=lambda t: -t[1].nbytes * len(t[2]))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        waiting = {pool.submit(_run_field, field, cells, cache, timeout): (i, field) for i, field, cells in todo}
        for n, future in enumerate(concurrent.futures.as_completed(waiting), 1):
            i, field = waiting[future]
            for row in future.result():
                results[i][rows.key(row)] = row
            if progress:
                progress(n, len(todo), field, future.result())
    return [found[rows.key(e)] for (_, cells), found in zip(plan, results) for e in cells if rows.key(e) in found]


def _run_field(field, cells, cache, timeout):
    """Rows of a field's cells. A worker that dies or hangs costs the cell it was at; another one does the rest."""
    left = collections.OrderedDict((rows.key(e), e) for e in cells)
    found = []
    while left:
        at, reason = None, "worker did not start"
        for message in _worker(field, list(left.values()), timeout):
            if "begin" in message:
                at = message["begin"]
            elif "row" in message:
                at = None
                found.append(message["row"])
                cache.put(field, message["row"])
                left.pop(rows.key(message["row"]))
            elif "ended" in message:
                reason = message["ended"]
        if left:
            lost = [at] if at else list(left.values())
            for entry in lost:
                found.append(rows.failed(field.name, entry, reason))
                left.pop(rows.key(entry))
    return found


def _worker(field, cells, timeout):
    """Messages of one worker process, and {"ended": why} last."""
    env = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1",
               PYTHONPATH=str(pathlib.Path(__file__).resolve().parents[1]))
    process = subprocess.Popen([sys.executable, "-m", __package__ + ".measure"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
    errors = collections.deque(maxlen=5)
    drain = threading.Thread(target=lambda: errors.extend(process.stderr), daemon=True)
    drain.start()
    hung = threading.Event()

    def expire():
        hung.set()
        process.kill()

    def new_timer():
        timer = threading.Timer(timeout, expire)
        timer.daemon = True
        timer.start()
        return timer

    timer = new_timer()

    try:
        with process.stdin as pipe:
            json.dump({"field": dataclasses.asdict(field), "cells": cells}, pipe)
        for line in process.stdout:
            timer.cancel()
            timer = new_timer()
            yield json.loads(line)
    except BrokenPipeError:
        pass
    finally:
        timer.cancel()
        process.stdout.close()
        code = process.wait()
        drain.join(1.0)
        process.stderr.close()
    yield {"ended": _reason(code, hung.is_set(), timeout, errors)}


def _reason(code, hung, timeout, errors):
    if hung:
        return f"no result after {timeout:g} s"
    if code < 0:
        try:
            return f"crashed: {signal.Signals(-code).name}"
        except ValueError:
            return f"crashed: signal {-code}"
    last = errors[-1].strip() if errors else ""
    return f"worker ended with {code}: {last}"
