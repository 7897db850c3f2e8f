# SPDX-License-Identifier: Apache-2.0
"""Training of a prior's network (format.md 8.7): a small perceptron in PyTorch, quantisation aware at the end."""
import math
import pathlib
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from . import prior

UNIT = 64          # integer features and hidden values are in 1/64
BATCH, RATE, QUANTISED = 2048, 4e-3, 0.7


class Round(torch.autograd.Function):
    """Floor of x + 1/2 in 1/64; gradients pass."""

    @staticmethod
    def forward(ctx, x):
        return torch.floor(x * UNIT + 0.5) / UNIT

    @staticmethod
    def backward(ctx, g):
        return g


class Weights(torch.autograd.Function):
    """8 bits with one power of two for each row; gradients pass."""

    @staticmethod
    def forward(ctx, w):
        scale = 2.0 ** shifts(w)[:, None]
        return torch.round(w * scale).clamp(-127, 127) / scale

    @staticmethod
    def backward(ctx, g):
        return g


def shifts(w, most=20):
    return torch.floor(torch.log2(127 / w.abs().amax(1).clamp(min=1e-6))).clamp(0, most)


class Net(nn.Module):
    """Features / 64 and place to logits (natural)."""

    def __init__(self, width1=32, width2=32):
        super().__init__()
        self.w = nn.ParameterList()
        self.b = nn.ParameterList()
        for i, (n_out, n_in) in enumerate(prior.shapes(width1, width2)):
            self.w.append(nn.Parameter(torch.randn(n_out, n_in) * (0.03 if i == 0 else (1 / n_in) ** 0.5 * (0.3 if i == 2 else 1))))
            self.b.append(nn.Parameter(torch.zeros(prior.PLACES, n_out) if i == 0 else torch.zeros(n_out)))
        self.shared = nn.Parameter(torch.zeros(width1))
        self.quantised = False

    def forward(self, x, place):
        for i in range(3):
            w = Weights.apply(self.w[i]) if self.quantised else self.w[i]
            x = x @ w.T + (self.b[0][place] + self.shared if i == 0 else self.b[i])
            if i < 2:
                x = x.clamp(0, prior.LARGEST / UNIT)
                x = Round.apply(x) if self.quantised else x
        return x

    def layers(self):
        """[(weight, bias, shift)] in integers."""
        out = []
        with torch.no_grad():
            for i in range(3):
                s = shifts(self.w[i])
                if i == 2:
                    s = s.clamp(min=2)
                w = torch.round(self.w[i] * 2 ** s[:, None]).clamp(-127, 127)
                b = self.b[0] + self.shared if i == 0 else self.b[i]
                unit = UNIT if i < 2 else 256 / 4  # logits are in 1/256: two bits less of shift
                b = torch.round(b * unit * 2 ** s).clamp(-(2 ** 22) + 1, 2 ** 22 - 1)
                out.append((w.numpy().astype(np.int64), b.numpy().astype(np.int64),
                            (s - (2 if i == 2 else 0)).numpy().astype(np.int64)))
        return out

    @staticmethod
    def from_layers(layers):
        net = Net(layers[0][0].shape[0], layers[1][0].shape[0])
        with torch.no_grad():
            for i, (w, b, s) in enumerate(layers):
                s = torch.tensor(np.asarray(s, np.float32)) + (2 if i == 2 else 0)
                net.w[i].copy_(torch.tensor(np.asarray(w, np.float32)) / 2 ** s[:, None])
                net.b[i].copy_(torch.tensor(np.asarray(b, np.float32)) / (UNIT * 2 ** s))
        return net


def bits(logit, symbol):
    """Bits of symbols (0, or +-(1 + steps)): not 0, sign, then one decision a step, the last output for all further ones."""
    size = symbol.abs()
    steps, nonzero, negative = size - 1, (size > 0).float(), (symbol < 0).float()
    cost = F.softplus(logit[:, 0]) - nonzero * logit[:, 0]
    cost = cost + nonzero * (F.softplus(logit[:, 1]) - negative * logit[:, 1])
    ladder = torch.where((symbol < 0)[:, None], logit[:, 9:16], logit[:, 2:9])
    for k in range(7):
        z = ladder[:, k]
        more = (steps > k).float() if k < 6 else (steps - 6).clamp(min=0).float()
        end = (steps == k).float() if k < 6 else ((steps >= 6) & (steps < 29)).float()
        cost = cost + nonzero * (more * F.softplus(-z) + end * F.softplus(z))
    return cost / math.log(2)


def load_samples(path, listing):
    """Samples and their weights: every stream counts the same, by its bytes; listing: (bytes, values, sampled) of each."""
    x = np.fromfile(path, "<i2").reshape(-1, prior.FEATURES + 2)
    weight = [np.full(n, total / n / (8 * size + 2400), np.float32) for size, total, n in listing if n]
    weight = np.concatenate(weight)
    if len(weight) != len(x):
        raise ValueError(f"{path}: {len(x)} samples, the list has {len(weight)}")
    weight = np.minimum(weight, np.quantile(weight, 0.999))
    return x, weight / weight.mean()


def train(net, x, weight, seconds, checkpoint=None, log=print, rate=RATE, seed=1):
    """Adam with a cosine by time; the last 30 % with rounded weights. Resumes from the checkpoint if there is one."""
    torch.manual_seed(seed)
    order = np.random.RandomState(0).permutation(len(x))
    n_held = min(60000, len(x) // 10)
    held, rest = order[:n_held], torch.from_numpy(order[n_held:])
    x, weight = torch.from_numpy(x), torch.from_numpy(weight)
    optimiser = torch.optim.Adam(net.parameters(), lr=rate)
    spent = 0.0
    if checkpoint and pathlib.Path(checkpoint).exists():
        state = torch.load(checkpoint)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        spent = state["spent"]

    def part(i):
        f = x[i]
        return f[:, :prior.FEATURES].float() / UNIT, f[:, prior.FEATURES].long(), f[:, prior.FEATURES + 1].long(), weight[i]

    def held_bits():
        with torch.no_grad():
            total = 0.0
            for k in range(0, n_held, 20000):
                f, place, symbol, w = part(torch.from_numpy(held[k:k + 20000]))
                total += float((bits(net(f, place), symbol) * w).sum())
        return total / max(n_held, 1)

    start, step = time.time() - spent, 0
    while True:
        spent = time.time() - start
        share = spent / seconds
        if share >= 1:
            break
        net.quantised = share > QUANTISED
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200) * (0.49 * (1 + math.cos(math.pi * share)) + 0.02)
        f, place, symbol, w = part(rest[torch.randint(len(rest), (BATCH,))])
        loss = (bits(net(f, place), symbol) * w).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 1000 == 0:
            log(f"{step} steps, {spent:.0f} s: {held_bits():.4f} bits on held-out samples")
            if checkpoint:
                torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "spent": spent}, checkpoint)
        step += 1
    net.quantised = True
    return held_bits()
