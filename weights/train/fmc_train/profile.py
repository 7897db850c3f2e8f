# SPDX-License-Identifier: Apache-2.0
"""Where the decoder's work is: multiplications per sample and PyTorch's time (float) of the ops of every part."""
import math
import time

import torch

from .graph import Value
from .importer import trainable

PARTS = [("super-resolution", ("sr/", "up/")), ("stages", ("d0", "d1", "d2")), ("linear path", ("klt", "linear"))]


def parts_of(graph):
    """Part of every op; ops without a name belong to what came before."""
    out, last = [], "other"
    for op in graph.ops:
        name = op.get("name")
        if name:
            last = next((part for part, starts in PARTS if name.startswith(starts)), "other")
        out.append(last)
    return out


@torch.no_grad()
def profile(model, frames=16, size=256, rounds=3):
    """part -> [multiplications per sample, seconds of its fastest round] to decode frames x size x size samples."""
    net = trainable(model).synthesis
    graph, level, samples = net.graph, torch.tensor([4]), frames * size * size
    y = torch.randn(1, graph.channels(0), frames // 4, size // 16, size // 16)
    out = {}
    for number in range(rounds):
        values, spent = [], {}
        for op, part in zip(graph.ops, parts_of(graph)):
            begun = time.perf_counter()
            value = Value(y, 1) if op["kind"] == "input" else net.run_op(op, values, level)
            spent[part] = spent.get(part, 0.0) + time.perf_counter() - begun
            values.append(value)
            entry = out.setdefault(part, [0.0, math.inf])
            if number == 0 and op["kind"] == "conv" and value.x is not None:
                entry[0] += value.x.numel() * net.conv_parameters(op)[0][0].numel() / samples
        for part, seconds in spent.items():
            out[part][1] = min(out[part][1], seconds)
    return out
