# SPDX-License-Identifier: Apache-2.0
"""Model file to trainable model: the inverse of export.py, so that anyone can go on from the weights that ship.

A file holds integers and shifts. A shift fixes how the fractional bits of an op's input, weights and output lie to each other,
not each of them: where nothing else does, an output's are chosen so that the weights have the size they are started with.
Any choice decodes to the same integers. Analysis weights come back in half precision, scales of hyper-latents rounded.
"""
import math

import numpy as np
import torch

from .fmcw import BadModel
from .vae import Config, Vae

MOVERS = ("leaky", "gate", "maxpool", "upsample", "tilestat", "shuffle")


class Offsets:
    """Unknown integers known up to differences: union-find with offsets. Node -1 is zero."""

    def __init__(self):
        self.parent = {}

    def find(self, a):
        """Root of a, and value of a minus value of the root."""
        offset = 0
        while a in self.parent:
            a, step = self.parent[a]
            offset += step
        return a, offset

    def tie(self, a, b, difference):
        """value(a) = value(b) + difference"""
        (ra, oa), (rb, ob) = self.find(a), self.find(b)
        if ra == rb:
            if oa != ob + difference:
                raise BadModel("fractional bits contradict each other")
        elif ra == -1:
            self.parent[rb] = ra, oa - ob - difference
        else:
            self.parent[ra] = rb, ob + difference - oa

    def value(self, a):
        """Value of a, None where it is free."""
        root, offset = self.find(a)
        return offset if root == -1 else None


def fractions(graph, program, arrays):
    """Fractional bits of every tensor of a graph that was exported as `program`."""
    known = Offsets()
    for op, stored in zip(graph.ops, program.ops):
        out, fixed = op["output"], graph.tensors[op["output"]]["frac"]
        if fixed is not None:
            known.tie(out, -1, fixed)
        if op["kind"] in MOVERS:
            known.tie(out, op["inputs"][0], 0)
        elif op["kind"] == "digit":
            known.tie(out, op["inputs"][0], -op["shift"] if op["high"] else 0)
        elif op["kind"] == "concat":
            for i in op["inputs"]:
                known.tie(out, i, 0)
        elif op["kind"] == "add":
            a, b, c = stored.p[:3]
            known.tie(op["inputs"][0], op["inputs"][1], b - a)
            known.tie(out, op["inputs"][0], a - c)
    for op, stored in zip(graph.ops, program.ops):
        out = op["output"]
        if known.value(out) is None and op["kind"] == "conv":
            scale = 2.0 ** (known.value(op["inputs"][0]) - arrays[stored.arrays[2]].astype(np.float64))
            weight = arrays[stored.arrays[0]].astype(np.float64)
            size = math.sqrt(np.mean((weight.reshape(len(scale), -1) * scale[:, None]) ** 2)) + 1e-9
            usual = op["gain"] / math.sqrt(weight[0].size)
            known.tie(out, -1, min(12, max(-4, round(math.log2(size / usual)))))
        if known.value(out) is None:
            raise BadModel(f"fractional bits of a {op['kind']} are unknown")
    return [known.value(op["output"]) for op in graph.ops]


@torch.no_grad()
def fill_net(net, program, arrays):
    """Integer program into the parameters of a GraphNet."""
    graph = net.graph
    if [o.kind for o in program.ops] != [o["kind"] for o in graph.ops]:
        raise BadModel("the program is not the network that the training record describes")
    frac = fractions(graph, program, arrays)
    net.fracs.copy_(torch.tensor(frac))
    for op, stored in zip(graph.ops, program.ops):
        if op["kind"] == "affine":
            f_in, f_out, shift = frac[op["inputs"][0]], frac[op["output"]], stored.p[0]
            m, b = (torch.from_numpy(arrays[name].astype(np.float64)) for name in stored.arrays[:2])
            getattr(net, "base_" + op["name"]).copy_(m * 2.0 ** (f_in - f_out - shift))
            net.multipliers[op["name"] + "_log"].zero_()
            net.multipliers[op["name"] + "_add"].copy_(b * 2.0 ** (-f_out - shift))
        elif op["kind"] == "conv" and not op["shared"]:
            f_in, f_out = frac[op["inputs"][0]], frac[op["output"]]
            unit = torch.from_numpy(2.0 ** (f_in - f_out - arrays[stored.arrays[2]].astype(np.float64)))
            weight, bias = net.conv_parameters(op)
            weight.copy_(torch.from_numpy(arrays[stored.arrays[0]].astype(np.float64)) * unit.reshape(-1, 1, 1, 1, 1))
            if bias is not None:
                bias.copy_(torch.from_numpy(arrays[stored.arrays[1]].astype(np.float64)) * unit * 2.0 ** -f_in)


class FloatArrays:
    """Float arrays of one program of the encoder, put back into modules under the names of export.FloatProgram."""

    def __init__(self, arrays, prefix):
        self.arrays, self.prefix = arrays, prefix

    def put(self, name, tensor):
        tensor.data.copy_(torch.from_numpy(self.arrays[f"{self.prefix}/{name}"].astype(np.float32)).reshape(tensor.shape))

    def conv(self, module, name):
        self.put(name + "/w", module.weight)
        if module.bias is not None:
            self.put(name + "/bias", module.bias)

    def sequence(self, modules, name):
        for i, module in enumerate(modules):
            kind, here = type(module).__name__, f"{name}/{i}"
            if kind == "Residual":
                for part in (1, 2):
                    self.conv(module.first if part == 1 else module.second, f"{here}/{part}")
                    norm = module.norm1 if part == 1 else module.norm2
                    self.put(f"{here}/norm{part}/g", norm.weight)
                    self.put(f"{here}/norm{part}/b", norm.bias)
                if not isinstance(module.skip, torch.nn.Identity):
                    self.conv(module.skip, here + "/skip")
            elif kind != "LeakyReLU":
                self.conv(module, here)


def config_of(model):
    try:
        config = {k: tuple(v) if isinstance(v, list) else v for k, v in model.record["config"].items()}
        return Config(**config)
    except (KeyError, TypeError, AttributeError):
        raise BadModel("its training record does not describe the network") from None


@torch.no_grad()
def trainable(model):
    """Vae from an fmcw.Model. Float mode; `set_quantised(True)` gives the file's integer decoder."""
    vae, arrays = Vae(config_of(model)), model.arrays
    try:
        analysis = FloatArrays(arrays, "analysis")
        for name in ("1", "2", "3", "4"):
            stage = getattr(vae.analysis, "stage" + name)
            if not isinstance(stage, torch.nn.Identity):
                analysis.sequence(stage, "s" + name)
        analysis.conv(vae.analysis.time3, "t3")
        analysis.conv(vae.analysis.time4, "t4")
        analysis.conv(vae.analysis.out, "out")
        hyper = FloatArrays(arrays, "hyper_analysis")
        hyper.sequence(vae.hyper_analysis, "h")
        hyper.put("unit", vae.spread)
        vae.spread.copy_(torch.from_numpy(arrays["analysis/spread"].copy()) if vae.basis is not None else 1 / vae.spread)
        if vae.basis is not None:
            analysis.put("klt/w", vae.basis)
        if vae.hyper_basis is not None:
            hyper.put("klt/w", vae.hyper_basis)
        fill_net(vae.synthesis, model.programs["synthesis"], arrays)
        fill_net(vae.hyper, model.programs["hyper"], arrays)
        vae.log_gain.copy_(torch.log(torch.from_numpy(arrays["gain/latent"].copy()) / vae.base_gain))
        vae.hyper_log_gain.copy_(torch.log(torch.from_numpy(arrays["gain/hyper"].copy()) / vae.hyper_base_gain))
        vae.hyper_mean.copy_(torch.from_numpy(arrays["hyper/mean"].astype(np.float32)) / 16)
        vae.hyper_index.copy_(torch.from_numpy(arrays["hyper/scale"].astype(np.float32)))
    except (KeyError, RuntimeError) as error:
        raise BadModel(f"not the network that its training record describes: {error}") from None
    return vae
