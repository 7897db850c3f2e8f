# SPDX-License-Identifier: Apache-2.0
"""Architecture `vae`: the published latent compressor (arXiv 2412.17184) with an exact integer decoder.

Variants
    faithful  the published nets: analysis in alternating 2-D and 3-D stages, hyperprior, 3-D synthesis stages, six BCB blocks
              with spatial and channel attention, x4 super-resolution by pixel shuffle.
    klt       the Karhunen-Loeve basis of 4x16x16 patches as a linear path into and out of the same latents; a second basis
              over 4x4 neighbouring patches of latents as a linear path into hyper-latents and out to the means; the nets
              start from zero beside both. At step 0 it is exactly a linear codec of two levels.

Latents: 64 channels at T/4, H/16, W/16; hyper-latents at another quarter of y and x. Coding (docs/weights-format.md):
q = round(gain * y - mu), mu in 1/16, scale index 0..63, both integers from the hyper-decoder; eight quality levels are eight
sets of per-channel gains of one net. The field is scaled to zero mean and unit standard deviation outside.
"""
import dataclasses
import math

import torch
import torch.nn as nn

from .analysis import Analysis, HyperAnalysis
from .graph import NARROW, Graph, GraphNet, floor_ste
from .likelihood import LOG_RATIO, bits, index_of

PATCH = (4, 16, 16)
BLOCK = (1, 4, 4)           # latents of one site of hyper-latents
WIDE_FRAC = 4               # latents and means are stored in 1/16
LATENT_FRAC = 10            # linear path: latents after the gain
NET_FRAC = 7                # nets: latents in units of their standard deviation, clamped at +-4
OUTPUT_FRAC = 12            # decoded field in units of its standard deviation
HYPER_LINEAR_FRAC, MEAN_FRAC = 8, 6     # linear path from hyper-latents to means
CCA_TILE = 16               # channel attention pools over 64 x 64 samples
STEPS = [4.0 * 2 ** (-q / 2) for q in range(8)]      # quantiser steps of the eight levels, coarse to fine


@dataclasses.dataclass
class Config:
    variant: str = "klt"                    # or "faithful"
    latent: int = 64
    hyper: int = 64                         # hyper-latents from the nets
    hyper_linear: int = 64                  # more of them from the linear path; 0 in the faithful variant
    widths: tuple = (16, 32, 48, 64)
    stem: str = "folded"                    # analysis, see analysis.py; faithful: "full"
    dims: tuple = (2, 2, 3, 3)              # ablations: kind of the four stages, mirrored in the synthesis
    up: str = "sr"                          # or "transposed": two transposed convolutions instead of the SR branch
    blocks: int = 6
    sr_width: int = 16
    use_hyper: bool = True                  # ablation: False keeps static scales per channel

    def as_dict(self):
        return dataclasses.asdict(self)


def _kernel(dims):
    return (3, 3, 3) if dims == 3 else (1, 3, 3)


def residual(g, x, name, channels, dims):
    h = g.hswish(g.conv(x, name + "/1", channels, _kernel(dims)))
    h = g.conv(h, name + "/2", channels, _kernel(dims), gain=0.5)
    skip = x if g.channels(x) == channels else g.conv(x, name + "/skip", channels, (1, 1, 1))
    return g.add(h, skip)


def upscale(g, x, name, channels, factor, kernel):
    """Transposed convolution written as a convolution and a pixel shuffle."""
    return g.shuffle(g.conv(x, name, channels * math.prod(factor), kernel), factor)


def blueprint(g, x, name, channels, **last):
    """Blueprint separable convolution: pointwise without bias, then depthwise 3x3."""
    return g.conv(g.conv(x, name + "/point", channels, (1, 1, 1), bias=False), name + "/depth", channels, (1, 3, 3),
                  groups=channels, **last)


def spatial_attention(g, x, name):
    """ESA: reduce, stride 2, max pool 4, three convolutions, nearest x8, gate."""
    c = g.channels(x)
    f = max(4, c // 4)
    a = g.conv(x, name + "/reduce", f, (1, 1, 1))
    h = g.maxpool(g.conv(a, name + "/down", f, (1, 3, 3), stride=(1, 2, 2)), (1, 4, 4))
    h = g.conv(h, name + "/1", f, (1, 3, 3), relu=True, gain=1.4)
    h = g.conv(h, name + "/2", f, (1, 3, 3), relu=True, gain=1.4)
    h = g.upsample(g.conv(h, name + "/3", f, (1, 3, 3)), (1, 8, 8), a)
    return g.gate(x, g.conv(g.add(h, g.conv(a, name + "/pass", f, (1, 1, 1))), name + "/gate", c, (1, 1, 1), start=2.0))


def channel_attention(g, x, name):
    """CCA over tiles: mean plus mean absolute deviation, squeeze, excite, gate."""
    c = g.channels(x)
    s = g.tilestat(x, (1, CCA_TILE, CCA_TILE))
    s = g.conv(s, name + "/squeeze", max(1, c // 16), (1, 1, 1), relu=True, gain=1.4)
    return g.gate(x, g.conv(s, name + "/gate", c, (1, 1, 1), start=2.0), (1, CCA_TILE, CCA_TILE))


def bcb(g, x, name):
    c = g.channels(x)
    h = blueprint(g, x, name + "/bs", c)
    u = g.conv(h, name + "/dw", c, (1, 3, 3), groups=c)
    u = g.hswish(g.conv(u, name + "/up", 4 * c, (1, 1, 1)))
    h = g.add(h, g.conv(u, name + "/down", c, (1, 1, 1)))
    return channel_attention(g, spatial_attention(g, h, name + "/esa"), name + "/cca")


def synthesis_graph(config):
    """y' (latents in 1/16) -> decoded field. Returns graph and output."""
    g = Graph()
    _, b, c, d = config.widths
    dims = config.dims[::-1]
    y = g.input(config.latent, WIDE_FRAC)
    x = g.affine(y, "latent", NET_FRAC)
    x = residual(g, x, "d0", c, dims[0])
    x = upscale(g, x, "d0/up", b, (2, 2, 2), _kernel(dims[0]))
    x = residual(g, x, "d1", b, dims[1])
    x = upscale(g, x, "d1/up", b, (2, 2, 2), (1, 3, 3))
    x = residual(g, x, "d2", b, dims[2])
    zero = config.variant == "klt"
    wide = {"wide": True, "frac": OUTPUT_FRAC, "zero": zero, "gain": 0.3}
    if config.up == "sr":
        h = a = blueprint(g, x, "sr/in", config.sr_width)
        parts = []
        for i in range(config.blocks):
            h = bcb(g, h, f"sr/{i}")
            parts.append(h)
        h = g.hswish(blueprint(g, g.concat(parts), "sr/cat", config.sr_width))
        net = g.shuffle(blueprint(g, g.add(h, a), "sr/out", 16, **wide), (1, 4, 4))
    else:
        h = g.leaky(upscale(g, x, "up/0", config.sr_width, (1, 2, 2), (1, 3, 3)))
        net = g.shuffle(g.conv(h, "up/1", 4, (1, 3, 3), **wide), (1, 2, 2))
    if config.variant != "klt":
        return g, net
    u = g.affine(y, "linear", LATENT_FRAC, lo=-(1 << 17), hi=(1 << 17) - 1)
    samples = math.prod(PATCH)
    low = g.conv(g.digit(u, 9, False), "klt", samples, (1, 1, 1), bias=False, wide=True, frac=OUTPUT_FRAC,
                 exponent=(7, 20))
    high = g.conv(g.digit(u, 9, True), "klt/high", samples, (1, 1, 1), bias=False, wide=True, frac=LATENT_FRAC - 9 + 7,
                  shared="klt", exponent=(7, 20))
    return g, g.add(g.shuffle(g.add(low, high, wide=True, frac=OUTPUT_FRAC), PATCH), net, wide=True, frac=OUTPUT_FRAC)


def hyper_graph(config):
    """z' (hyper-latents in 1/16) -> mu of the latents in 1/16, scale index. Returns graph and both outputs."""
    g = Graph()
    z = g.input(config.hyper + config.hyper_linear, WIDE_FRAC)
    x = g.affine(z, "hyper", NET_FRAC)
    if config.hyper_linear:
        x = g.leaky(g.conv(x, "mix", config.hyper, (1, 1, 1)))
    x = g.leaky(upscale(g, x, "h0", config.hyper, (1, 2, 2), (1, 3, 3)))
    x = g.leaky(upscale(g, x, "h1", config.hyper, (1, 2, 2), (1, 3, 3)))
    mean = g.conv(x, "mean", config.latent, (1, 3, 3), wide=True, frac=10, zero=True)
    index = g.conv(x, "index", config.latent, (1, 3, 3), wide=True, frac=6, zero=True)
    span = {"lo": -(1 << 17), "hi": (1 << 17) - 1}
    mu = g.affine(mean, "mu", WIDE_FRAC, **span)
    if config.hyper_linear:
        u = g.affine(z, "hyper_linear", HYPER_LINEAR_FRAC, **span)
        values = math.prod(BLOCK) * config.latent
        low = g.conv(g.digit(u, 9, False), "hklt", values, (1, 1, 1), bias=False, wide=True, frac=MEAN_FRAC, exponent=(7, 20))
        high = g.conv(g.digit(u, 9, True), "hklt/high", values, (1, 1, 1), bias=False, wide=True,
                      frac=HYPER_LINEAR_FRAC - 9 + 7, shared="hklt", exponent=(7, 20))
        linear = g.shuffle(g.add(low, high, wide=True, frac=MEAN_FRAC), BLOCK)
        mu = g.add(mu, g.affine(linear, "mu_linear", WIDE_FRAC, **span), wide=True, frac=WIDE_FRAC)
    return g, [mu, g.affine(index, "scale", 0, lo=0, hi=63)]


class Vae(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.config = config
        self.levels = len(STEPS)
        klt = config.variant == "klt"
        self.analysis = Analysis(config.widths, config.latent, config.stem, config.dims, zero=klt)
        self.hyper_analysis = HyperAnalysis(config.latent, config.hyper)
        graph, out = synthesis_graph(config)
        self.synthesis = GraphNet(graph, [out], self.levels)
        graph, outs = hyper_graph(config)
        self.hyper = GraphNet(graph, outs, self.levels)
        c, h = config.latent, config.hyper + config.hyper_linear
        self.register_buffer("spread", torch.ones(c))    # standard deviation of the latents before the gain
        self.register_buffer("hyper_spread", torch.ones(h))
        self.register_buffer("column", torch.ones(c))    # power of two taken out of each basis vector
        self.register_buffer("hyper_column", torch.full((h,), 4.0))
        steps = torch.tensor(STEPS)[:, None]
        self.register_buffer("base_gain", (1 / steps).expand(-1, c).clone())
        linear = (torch.arange(h) < config.hyper_linear)[None]
        self.register_buffer("hyper_base_gain", torch.where(linear, 1 / steps, torch.ones(1)))
        self.log_gain = nn.Parameter(torch.zeros(self.levels, c))
        self.hyper_log_gain = nn.Parameter(torch.zeros(self.levels, h))
        self.hyper_mean = nn.Parameter(torch.zeros(self.levels, h))
        self.hyper_index = nn.Parameter(torch.full((self.levels, h), index_of(1.0)))
        self.basis = nn.Parameter(torch.zeros(c, math.prod(PATCH))) if klt else None
        self.hyper_basis = nn.Parameter(torch.zeros(config.hyper_linear, c * math.prod(BLOCK))) if config.hyper_linear else None
        self.init_affines()

    # --- start -------------------------------------------------------------------------------------------------------

    @torch.no_grad()
    def init_affines(self):
        """Multipliers that follow from the steps and spreads: latents to nets, to the linear path, means, scales."""
        step, hyper_step = 1 / self.base_gain, 1 / self.hyper_base_gain
        self.synthesis.base_latent.copy_(step / self.spread)
        if self.basis is not None:
            self.synthesis.base_linear.copy_(step * self.column)
        self.hyper.base_hyper.copy_(hyper_step / self.hyper_spread)
        if self.hyper_basis is not None:
            self.hyper.base_hyper_linear.copy_(hyper_step * self.hyper_column)
            self.hyper.base_mu_linear.copy_(self.base_gain)
        self.hyper.base_mu.copy_(self.base_gain * self.spread)
        self.hyper.multipliers["scale_add"].copy_(index_of(self.base_gain * self.spread))

    @torch.no_grad()
    def start(self, crops, wide_crops=None):
        """Initial state from data (N, 1, T, H, W): bases, spreads, scales. Nets are left as they are.

        wide_crops: larger crops for the basis of the hyper-latents; default crops.
        """
        self.start_latents(crops)
        self.start_hyper(crops, wide_crops)

    @torch.no_grad()
    def start_latents(self, crops):
        if self.basis is not None:
            self.basis.copy_(fit_klt(patches(crops), self.config.latent))
            self.column.copy_(2.0 ** torch.ceil(torch.log2(self.basis.abs().amax(1))))
            self.synthesis.weights["klt"].copy_((self.basis / self.column[:, None]).T[:, :, None, None, None])
        else:                                            # scale the last layer so that latents have spread 4 at level 4
            y = self.analysis(crops[:8])
            factor = 4 * STEPS[4] / y.std()
            self.analysis.out.weight.mul_(factor)
            self.analysis.out.bias.mul_(factor)
        y = torch.cat([self.latents(x) for x in crops.split(8)])
        self.spread.copy_(y.std((0, 2, 3, 4)).clamp(min=1e-3))
        self.init_affines()

    @torch.no_grad()
    def start_hyper(self, crops, wide_crops=None):
        """Hyper-latents, their scales, and the static scale of what the means leave, for the latents as they are now."""
        y = torch.cat([self.latents(x) for x in crops.split(8)])
        if self.hyper_basis is not None:
            self.start_hyper_basis(y, y if wide_crops is None else torch.cat([self.latents(x) for x in wide_crops.split(8)]))
        if self.config.use_hyper:
            z = torch.cat([self.hyper_analysis(part / self._c(self.spread)) for part in y.split(8)])
            self.hyper_analysis[4].weight.mul_(0.5 / z.std().clamp(min=1e-6))
            self.hyper_analysis[4].bias.mul_(0.5 / z.std().clamp(min=1e-6))
            z = self.hyper_latents(y)
            self.hyper_spread.copy_(z.std((0, 2, 3, 4)).clamp(min=0.3))
            self.hyper_index.copy_(index_of(z.std((0, 2, 3, 4)).clamp(min=1e-3) * self.hyper_base_gain).clamp(0, 63))
        self.init_affines()
        gain = self.gain()[:, :, None, None, None]
        for level in range(self.levels if self.config.use_hyper else 0):
            residual = y * gain[level] - self.parameters_of(y, torch.full((len(y),), level, device=y.device))[0]
            self.hyper.multipliers["scale_add"][level] = index_of(residual.std((0, 2, 3, 4)).clamp(min=0.12))

    def gain(self):
        """Factor of the latents before rounding, (levels, latent)."""
        return self.base_gain * torch.exp(self.log_gain)

    def start_hyper_basis(self, y, wide):
        """Basis of blocks of 4x4 latents, from all blocks at even places; unit weight per crop."""
        samples = [fold(y[..., i:, j:][..., :h, :w]) for y in (y, wide) for i in range(0, y.shape[3] - 3, 2)
                   for j in range(0, y.shape[4] - 3, 2) for h, w in [((y.shape[3] - i) // 4 * 4, (y.shape[4] - j) // 4 * 4)]]
        samples = torch.cat([s.transpose(0, 1).flatten(1).T for s in samples])
        basis = fit_klt(samples, self.config.hyper_linear)
        self.hyper_basis.copy_(basis)
        column = self.hyper_column[:len(basis)]
        column.copy_(2.0 ** torch.ceil(torch.log2(basis.abs().amax(1))))
        weight = self.hyper.weights["hklt"]
        weight.zero_()
        weight[:, :len(basis), 0, 0, 0] = (basis / column[:, None]).T

    # --- coding ------------------------------------------------------------------------------------------------------

    @staticmethod
    def _c(v):
        return v[:, None, None, None]

    def latents(self, x):
        """Latents before the gain."""
        y = self.analysis(x)
        if self.basis is None:
            return y
        b, _, t, h, w = x.shape
        p = patches(x).reshape(b, t // 4, h // 16, w // 16, -1)
        linear = torch.einsum("bthwp,cp->bcthw", p, self.basis)
        return linear + y * self._c(self.spread)

    def hyper_latents(self, y):
        """Hyper-latents before the gain, linear ones first."""
        z = self.hyper_analysis(y / self._c(self.spread))
        if self.hyper_basis is None:
            return z
        return torch.cat([torch.einsum("bpthw,cp->bcthw", fold(y), self.hyper_basis), z], 1)

    def parameters_of(self, y, level, noisy=False):
        """Means and scale indices of the latents y, and bits of the hyper-latents that tell them."""
        z = self.hyper_latents(y) * (self.hyper_base_gain * torch.exp(self.hyper_log_gain))[level][:, :, None, None, None]
        mean = self.hyper_mean[level][:, :, None, None, None]
        z_index = self.hyper_index[level][:, :, None, None, None]
        if self.hyper.quantised:
            mean, z_index = floor_ste(mean * 16 + 0.5) / 16, floor_ste(z_index + 0.5)
        zq = floor_ste(z - mean + 0.5)
        for_rate = z - mean + torch.rand_like(z) - 0.5 if noisy else zq
        z_bits = bits(for_rate, z_index.expand_as(z)).flatten(1).sum(1)
        mu, index = self.hyper([zq + mean], level)
        return mu[..., :y.shape[3], :y.shape[4]], index[..., :y.shape[3], :y.shape[4]], z_bits

    def static_hyper(self, level, shape):
        """Ablation without hyperprior: what the hyper-decoder gives for hyper-latents of zero, per channel."""
        index = self.hyper.multipliers["scale_add"][level][:, :, None, None, None].expand(shape)
        return torch.zeros_like(index), index

    def forward(self, x, level, noisy=False):
        """x (B, 1, T, H, W) with T a multiple of 4 and H, W of 16; level (B,).

        Returns decoded x, bits of the latents (B,), bits of the hyper-latents (B,).
        noisy: training (uniform noise for the rate, rounding with straight gradient for the decoder).
        """
        y = self.latents(x)
        scaled = y * self.gain()[level][:, :, None, None, None]
        if self.config.use_hyper:
            mu, index, z_bits = self.parameters_of(y, level, noisy)
        else:
            mu, index = self.static_hyper(level, y.shape)
            z_bits = torch.zeros(x.shape[0], device=x.device)
        q = floor_ste(scaled - mu + 0.5)
        for_rate = scaled - mu + torch.rand_like(y) - 0.5 if noisy else q
        y_bits = bits(for_rate, index).flatten(1).sum(1)
        decoded, = self.synthesis([q + mu], level)
        return decoded, y_bits, z_bits

    def set_quantised(self, on):
        self.synthesis.quantised = self.hyper.quantised = on

    @torch.no_grad()
    def calibrate(self, crops):
        """Choose fractional bits of all tensors from float passes over crops at every level."""
        for net in (self.synthesis, self.hyper):
            net.quantised, net.peak = False, {}
        for i, x in enumerate(crops.split(4)):
            for level in range(self.levels) if i == 0 else (0, self.levels - 1):
                self(x, torch.full((x.shape[0],), level, device=x.device))
        for net in (self.synthesis, self.hyper):
            net.calibrate(net.peak)
            net.peak = None


def patches(x):
    """(B, 1, T, H, W) -> (B*n, 1024), patches of 4x16x16 in raster order."""
    b, _, t, h, w = x.shape
    a, e, f = PATCH
    return x.reshape(b, t // a, a, h // e, e, w // f, f).permute(0, 1, 3, 5, 2, 4, 6).reshape(-1, a * e * f)


def fold(y):
    """(B, C, T, H, W) -> (B, 16 C, T, ceil(H / 4), ceil(W / 4)): blocks of 4x4 sites, the last ones filled by repetition."""
    for axis in (3, 4):
        short = -y.shape[axis] % 4
        if short:
            last = y.narrow(axis, y.shape[axis] - 1, 1)
            y = torch.cat([y] + [last] * short, axis)
    b, c, t, h, w = y.shape
    return y.reshape(b, c, t, h // 4, 4, w // 4, 4).permute(0, 1, 4, 6, 2, 3, 5).reshape(b, 16 * c, t, h // 4, w // 4)


def fit_klt(samples, count):
    """Leading eigenvectors (count, 1024) of the second moment of the patches."""
    s = samples.double()
    _, vectors = torch.linalg.eigh(s.T @ s / s.shape[0])
    basis = vectors.flip(1)[:, :count].T
    return (basis * torch.where(basis.sum(1) < 0, -1.0, 1.0)[:, None]).float()


def pad_to_patches(x):
    """(B, 1, T, H, W) of any size, padded by repeating the last sample to whole patches."""
    for axis, n in zip((2, 3, 4), PATCH):
        short = -x.shape[axis] % n
        if short:
            last = x.narrow(axis, x.shape[axis] - 1, 1)
            x = torch.cat([x, last.expand(*[short if i == axis else -1 for i in range(5)])], axis)
    return x


def parameter_count(model):
    return sum(p.numel() for p in model.parameters())
