#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prove which way the rooms include each other (docs/architecture.md): scripts/check_layers.py

include <- lib/core <- array, entropy, container, ops <- transform, interp, coef, grid, exact <- bound <- codec <- api.
Rooms of one layer may use each other as long as there is no circle. backends see core, array and lib/ops; cli, examples,
bindings and bench see <fmc/...> only; public headers see each other only. Exit status 1 and a line for each breach.
"""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAYERS = [["core"], ["array", "entropy", "container", "ops"], ["transform", "interp", "coef", "grid", "exact", "nn"], ["bound"],
          ["codec"], ["api"]]
LAYER_OF = {room: depth for depth, rooms in enumerate(LAYERS) for room in rooms}
OUTSIDE = ["cli", "examples", "bindings", "bench"]
BENCH_OF_KERNELS = [os.path.join("bench", name) for name in ("bench_nets.c", "bench_ops.c")]  # measure lib itself
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]', re.M)


def sources(folder):
    for base, _, files in os.walk(os.path.join(ROOT, folder)):
        for name in sorted(files):
            if name.endswith((".c", ".h", ".cpp")):
                path = os.path.join(base, name)
                with open(path) as f:
                    yield os.path.relpath(path, ROOT), INCLUDE.findall(f.read())


def room_of(path, target):
    """The room that an include "target" in path names, None for a file beside it."""
    head = target.split("/")[0]
    if "/" in target and head in LAYER_OF:
        return head
    return None


def check_lib(breaches):
    edges = {}
    for path, includes in sources("lib"):
        room = path.split(os.sep)[1]
        if room not in LAYER_OF:
            breaches.append(f"{path}: a room that no layer names")
            continue
        for kind, target in includes:
            if kind == "<":
                continue
            if target.startswith(("..", "backends", "cli", "fmc/")):
                breaches.append(f'{path}: "{target}" leaves lib/')
            other = room_of(path, target)
            if other is None:
                if not os.path.exists(os.path.join(ROOT, "lib", room, os.path.basename(target))):
                    breaches.append(f'{path}: "{target}" is in no room')
            elif other != room:
                edges.setdefault(room, {}).setdefault(other, path)
                if LAYER_OF[other] > LAYER_OF[room]:
                    breaches.append(f'{path}: {room} must not use {other} ("{target}")')
    return edges


def find_circle(edges):
    """A list of rooms that use each other in a circle, or None."""
    done, stack = set(), []

    def visit(room):
        if room in stack:
            return stack[stack.index(room):] + [room]
        if room in done:
            return None
        stack.append(room)
        for other in edges.get(room, {}):
            circle = visit(other)
            if circle:
                return circle
        stack.pop()
        done.add(room)
        return None

    for room in sorted(edges):
        circle = visit(room)
        if circle:
            return circle
    return None


def check_backends(breaches):
    for path, includes in sources("backends"):
        for kind, target in includes:
            room = room_of(path, target) if kind == '"' else None
            if room and room not in ("core", "array", "ops"):
                breaches.append(f'{path}: backends must not use {room} ("{target}")')


def check_outside(breaches):
    for folder in OUTSIDE:
        for path, includes in sources(folder):
            beside = os.path.join(ROOT, os.path.dirname(path))
            for kind, target in includes:
                if path in BENCH_OF_KERNELS and target.startswith(("core/", "nn/", "ops/")):
                    continue
                if kind == '"' and not os.path.exists(os.path.join(beside, target)):
                    breaches.append(f'{path}: "{target}" is neither <fmc/...> nor beside it')
                if kind == '"' and ".." in target.split("/"):
                    breaches.append(f'{path}: "{target}" leaves its folder')
    for path, includes in sources("include"):
        for kind, target in includes:
            if kind == '"' or ("/" in target and not target.startswith("fmc/")):
                breaches.append(f"{path}: a public header must not use {target}")


def main():
    breaches = []
    edges = check_lib(breaches)
    circle = find_circle(edges)
    if circle:
        breaches.append("a circle: " + " -> ".join(circle))
    check_backends(breaches)
    check_outside(breaches)
    for line in breaches:
        print(line)
    print(f"{sum(len(e) for e in edges.values())} uses between rooms, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
