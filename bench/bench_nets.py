#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speed of the networks: own kernels, loadable backends and PyTorch, layer by layer and whole, interleaved in one run.

    ninja -C build bench/bench_nets && FMC_BACKEND_PATH=build/backends python3 bench/bench_nets.py [options]

Needs numpy and PyTorch. PyTorch runs the same convolutions and the same programs in float32: 2-D convolutions for kernels of
one frame (3-D ones are slower there), in contiguous and in channels-last memory, whichever is faster; its synthesis is the
float one, without the rounding of the integers. Prints Markdown: GMAC/s and the share of the measured peak of one core.
"""
import argparse
import math
import os
import subprocess
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "weights", "train"))
from fmc_train import fmcw  # noqa: E402


class Bench:
    """bench_nets as a child that answers questions."""

    def __init__(self, program, model, dims):
        self.child = subprocess.Popen([program, model, *map(str, dims)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.peaks, self.layers = {}, []
        for line in self.child.stdout:
            words = line.split()
            if words[0] == "peak":
                self.peaks[words[1]] = float(words[2])
            elif words[0] == "layer":
                names = "kt ky kx stride n_in n_out groups height width count".split()
                self.layers.append({"i": int(words[1]), "program": words[2], "kind": words[3],
                                    **dict(zip(names, map(int, words[4:])))})
            else:
                break

    def ask(self, question):
        """Seconds, or None."""
        self.child.stdin.write(question + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().split()
        return None if answer[0] == "no" else float(answer[0]) * 1e-9

    def close(self):
        self.child.stdin.close()
        self.child.wait()


def best_of(run, least=0.06):
    """Seconds: of processor time with one thread, so that other work on the machine counts less; else of the clock."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    run()
    best, spent = math.inf, 0.0
    while spent < least:
        start = clock()
        run()
        took = clock() - start
        best, spent = min(best, took), spent + took
    return best


def out_size(n, kernel, stride):
    return (n + 2 * (kernel // 2) - kernel) // stride + 1


def macs(layer):
    sites = out_size(layer["height"], layer["ky"], layer["stride"]) * out_size(layer["width"], layer["kx"], layer["stride"])
    return sites * layer["n_out"] * layer["n_in"] // layer["groups"] * layer["kt"] * layer["ky"] * layer["kx"]


def torch_layer(layer):
    """Seconds of one output frame in PyTorch, the faster of both memory formats."""
    flat = layer["kt"] == 1
    kernel = (layer["ky"], layer["kx"]) if flat else (layer["kt"], layer["ky"], layer["kx"])
    weight = torch.randn(layer["n_out"], layer["n_in"] // layer["groups"], *kernel)
    bias = torch.randn(layer["n_out"])
    x = torch.randn(1, layer["n_in"], *([] if flat else [layer["kt"]]), layer["height"], layer["width"])
    pad = tuple(k // 2 for k in kernel) if flat else (0, layer["ky"] // 2, layer["kx"] // 2)
    stride = (layer["stride"],) * 2 if flat else (1,) + (layer["stride"],) * 2
    conv, last = (F.conv2d, torch.channels_last) if flat else (F.conv3d, torch.channels_last_3d)
    times = []
    for form in (torch.contiguous_format, last):
        a, w = x.to(memory_format=form), weight.to(memory_format=form)
        times.append(best_of(lambda: conv(a, w, bias, stride, pad, 1, layer["groups"])))
    return min(times)


class Program:
    """A program of a model file in float32; tensors are (T, C, H, W)."""

    def __init__(self, model, name, channels_last):
        self.ops, self.outputs = model.programs[name].ops, model.programs[name].outputs
        self.last = channels_last
        self.arrays = [[None if n is None else torch.from_numpy(model.arrays[n].astype(np.float32)) for n in op.arrays]
                       for op in self.ops]
        for op, arrays in zip(self.ops, self.arrays):
            if op.kind in ("conv", "f_conv"):
                w = arrays[0]
                if op.kind == "conv":                    # integers with shifts become the floats that they stand for
                    scale = 2.0 ** -arrays[2]
                    w = w * scale.reshape(-1, 1, 1, 1, 1)
                    arrays[1] = None if arrays[1] is None else arrays[1] * scale
                w = w[:, :, 0] if op.p[0] == 1 and op.p[3] == 1 else w
                form = torch.contiguous_format if not channels_last else torch.channels_last if w.dim() == 4 else torch.channels_last_3d
                arrays[0] = w.contiguous(memory_format=form)

    def run(self, x):
        v, last = [], {}
        for i, op in enumerate(self.ops):
            for k in op.inputs:
                last[k] = i
        for i, (op, arrays) in enumerate(zip(self.ops, self.arrays)):
            v.append(x if op.kind in ("input", "f_input") else getattr(self, "_" + op.kind.removeprefix("f_"))(
                op, arrays, [v[k] for k in op.inputs]))
            for k in op.inputs:
                if last[k] == i and k not in self.outputs:
                    v[k] = None
        return [v[k] for k in self.outputs]

    def _conv(self, op, a, v):
        if v[0] is None:                                 # the high digit of integers: floats have it in the low one
            return None
        w, bias = a[0], a[1]
        pad = [k // 2 for k in op.p[:3]]
        if w.dim() == 4:
            y = F.conv2d(v[0], w, bias, tuple(op.p[4:6]), pad[1:], 1, op.p[6])
        else:
            y = F.conv3d(v[0].transpose(0, 1)[None], w, bias, tuple(op.p[3:6]), pad, 1, op.p[6])[0].transpose(0, 1)
            y = y.contiguous(memory_format=torch.channels_last if self.last else torch.contiguous_format)
        if op.kind == "f_conv":
            return y
        return F.relu_(y) if op.lo == 0 else y.clamp_(op.lo, op.hi)

    def _affine(self, op, a, v):
        return (v[0] * a[0][0][:, None, None] * 2.0 ** -op.p[0] + a[1][0][:, None, None] * 2.0 ** -op.p[0]).clamp_(op.lo, op.hi)

    def _leaky(self, op, a, v):
        return F.leaky_relu(v[0], 0.2 if op.kind == "f_leaky" else 0.125)

    def _hswish(self, op, a, v):
        return v[0] * (v[0] / 1024 + 0.5).clamp_(0, 1)

    def _add(self, op, a, v):
        if v[1] is None:
            return v[0]
        return v[0] + v[1] if op.kind == "f_add" else (v[0] * 2.0 ** (op.p[0] - op.p[2]) + v[1] * 2.0 ** (op.p[1] - op.p[2]))

    def _spread(self, x, factor, like):
        for axis, n in zip((0, 2, 3), factor):
            if n > 1:
                x = x.repeat_interleave(n, axis).narrow(axis, 0, like.shape[axis])
        return x

    def _gate(self, op, a, v):
        return v[0] * self._spread((v[1] / 1024 + 0.5).clamp_(0, 1), op.p[:3], v[0])

    def _maxpool(self, op, a, v):
        if op.p[0] == 1:
            return F.max_pool2d(v[0], op.p[1:3], op.p[1:3], ceil_mode=True)
        return F.max_pool3d(v[0].transpose(0, 1), op.p[:3], op.p[:3], ceil_mode=True).transpose(0, 1)

    def _upsample(self, op, a, v):
        return self._spread(v[0], op.p[:3], v[1])

    def _tilestat(self, op, a, v):
        t, h, w = (min(s, n) for s, n in zip(op.p[:3], (v[0].shape[0], v[0].shape[2], v[0].shape[3])))
        x = v[0].unflatten(3, (-1, w)).unflatten(2, (-1, h)).unflatten(0, (-1, t))
        mean = x.mean((1, 4, 6), keepdim=True)
        return (mean + (x - mean).abs().mean((1, 4, 6), keepdim=True)).squeeze(6).squeeze(4).squeeze(1)

    def _shuffle(self, op, a, v):
        p, q, r = op.p[:3]
        if p == 1 and q == r:
            return F.pixel_shuffle(v[0], q)
        t, c, h, w = v[0].shape
        c //= p * q * r
        y = v[0].reshape(t, c, p, q, r, h, w).permute(0, 2, 1, 5, 3, 6, 4)
        return y.reshape(t * p, c, h * q, w * r)

    def _concat(self, op, a, v):
        return torch.cat(v, 1)

    def _digit(self, op, a, v):
        return None if op.p[1] else v[0]

    def _norm(self, op, a, v):
        return F.layer_norm(v[0].permute(0, 2, 3, 1), (op.channels,), a[0], a[1], 1e-5).permute(0, 3, 1, 2)

    def _relu(self, op, a, v):
        return F.relu(v[0])

    def _scale(self, op, a, v):
        return v[0] * a[0][:, None, None]

    def _fold(self, op, a, v):
        p, q, r = op.p[:3]
        if p == 1 and q == r:
            return F.pixel_unshuffle(v[0], q)
        t, c, h, w = v[0].shape
        y = v[0].reshape(t // p, p, c, h // q, q, w // r, r).permute(0, 2, 1, 4, 6, 3, 5)
        return y.reshape(t // p, c * p * q * r, h // q, w // r)


def torch_net(model, name, x, least):
    times = []
    for channels_last in (False, True):
        program = Program(model, name, channels_last)
        a = x.contiguous(memory_format=torch.channels_last) if channels_last else x
        times.append(best_of(lambda: program.run(a), least))
    return min(times)


def name_of(layer):
    kernel = "x".join(str(layer[k]) for k in ("kt", "ky", "kx"))
    kind = f"dw {kernel} {layer['n_out']}" if layer["groups"] > 1 else f"{kernel} {layer['n_in']}->{layer['n_out']}"
    return kind + (f" /{layer['stride']}" if layer["stride"] > 1 else "")


def smallest(a, b):
    return b if a is None else a if b is None else min(a, b)


def layer_table(bench, columns, rounds, peaks):
    times = [{} for _ in bench.layers]
    for r in range(rounds):
        for layer, t in zip(bench.layers, times):
            for c in columns:
                took = torch_layer(layer) if c == "PyTorch" else bench.ask(f"layer {layer['i']} {c}")
                t[c] = smallest(t.get(c), took)
        print(f"layers: round {r + 1} of {rounds}", file=sys.stderr)
    for program in ("analysis", "synthesis"):
        print(f"\n| {program}: layer | sites | % of MACs | " + " | ".join(columns) + " | own, % of peak | best other / own |")
        print("|---" * (len(columns) + 5) + "|")
        mine = [(x, t) for x, t in zip(bench.layers, times) if x["program"] == program]
        total = sum(macs(x) * x["count"] for x, _ in mine)
        for layer, t in sorted(mine, key=lambda m: -macs(m[0]) * m[0]["count"]):
            share = macs(layer) * layer["count"] / total
            rate = {c: macs(layer) / t[c] / 1e9 for c in columns if t.get(c)}
            peak = peaks["f32" if layer["kind"] == "float" else "i16"] / 1e9
            others = [t[c] for c in columns if c != "cpu" and t.get(c)]
            print(f"| {name_of(layer)} | {layer['height']}x{layer['width']} | {100 * share:.1f} | " +
                  " | ".join(f"{rate[c]:.1f}" if c in rate else "-" for c in columns) +
                  f" | {100 * rate['cpu'] / peak:.0f} | {min(others) / t['cpu']:.2f} |")


def net_table(bench, model, dims, columns, rounds, threads):
    total = {p: sum(macs(x) * x["count"] for x in bench.layers if x["program"] == p) for p in ("analysis", "synthesis")}
    patch = [model.numbers["patch_" + axis] for axis in "tyx"]
    latent = [-(-n // p) for n, p in zip(dims, patch)]
    padded = [n * p for n, p in zip(latent, patch)]
    inputs = {"analysis": torch.randn(padded[0], 1, *padded[1:]),
              "synthesis": torch.randint(-40, 40, (latent[0], model.numbers["latent"], *latent[1:])).float()}
    samples = math.prod(dims)
    print("\n| net | threads | MAC/sample | " + " | ".join(f"{c}, ms (MB/s)" for c in columns) + " | PyTorch / own |")
    print("|---" * (len(columns) + 4) + "|")
    for program, x in inputs.items():
        for n in threads:
            torch.set_num_threads(n)
            t = {}
            for _ in range(rounds):
                for c in columns:
                    took = torch_net(model, program, x, 0.2) if c == "PyTorch" else bench.ask(f"net {program} {c} {n}")
                    t[c] = smallest(t.get(c), took)
            print(f"| {program} | {n} | {total[program] / samples:.0f} | " +
                  " | ".join(f"{1e3 * t[c]:.0f} ({4e-6 * samples / t[c]:.1f})" if t.get(c) else "-" for c in columns) +
                  f" | {t['PyTorch'] / t['cpu']:.2f} |")
            sys.stdout.flush()


@torch.no_grad()
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default=os.path.join(ROOT, "weights", "vae.fmcw"))
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "bench", "bench_nets"))
    parser.add_argument("--dims", default="16,256,256", help="samples of the field: T,H,W")
    parser.add_argument("--backends", default="cpu,onednn3,onednn2,openblas", help="cpu must be among them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", default="1,2", help="of whole nets")
    parser.add_argument("--no-layers", action="store_true")
    options = parser.parse_args()
    dims = [int(n) for n in options.dims.split(",")]
    with open(options.model, "rb") as f:
        model = fmcw.read(f.read())
    torch.set_num_threads(1)
    bench = Bench(options.program, options.model, dims)
    columns = options.backends.split(",") + ["PyTorch"]
    print(f"Field {options.dims}, PyTorch {torch.__version__}; one core multiplies and adds at most "
          f"{bench.peaks['f32'] / 1e9:.1f} G float32 (FMA), {bench.peaks['i16'] / 1e9:.1f} G int16 a second (measured). "
          "Layers in GMAC/s, one core; backends with conversions to floats and back.")
    net_table(bench, model, dims, columns, options.rounds, [int(n) for n in options.threads.split(",")])
    if not options.no_layers:
        torch.set_num_threads(1)
        layer_table(bench, columns, options.rounds, bench.peaks)
    bench.close()


if __name__ == "__main__":
    main()
