# SPDX-License-Identifier: Apache-2.0
"""Encoder side: float networks, free to use any operation, as only the encoder runs them."""
import torch
import torch.nn as nn
import torch.nn.functional as F


class ChannelNorm(nn.Module):
    """Layer normalisation over the channels of every site."""

    def __init__(self, channels):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return F.layer_norm(x.movedim(1, -1), (x.shape[1],), self.weight, self.bias, 1e-5).movedim(-1, 1).contiguous()


class Residual(nn.Module):
    def __init__(self, conv, channels_in, channels, first_kernel=3):
        super().__init__()
        self.first = conv(channels_in, channels, first_kernel, padding=first_kernel // 2)
        self.second = conv(channels, channels, 3, padding=1)
        self.norm1, self.norm2 = ChannelNorm(channels), ChannelNorm(channels)
        self.skip = conv(channels_in, channels, 1) if channels_in != channels else nn.Identity()

    def forward(self, x):
        h = F.relu(self.norm1(self.first(x)))
        return F.relu(self.norm2(self.second(h))) + self.skip(x)


def flat(x):
    """(B, C, T, H, W) -> (B*T, C, H, W)"""
    return x.transpose(1, 2).flatten(0, 1).contiguous()


def full(x, batch):
    return x.unflatten(0, (batch, -1)).transpose(1, 2).contiguous()


class Analysis(nn.Module):
    """(B, 1, T, H, W) -> (B, latent, T/4, H/16, W/16).

    stem "full": as published, 7x7 at full resolution and two 2-D stages, then two 3-D stages.
    stem "folded": 4x4 pixels become channels first: a quarter of the work, for the residual beside a linear path.
    dims: 2 or 3 for each of the four stages.
    """

    def __init__(self, widths, latent, stem, dims=(2, 2, 3, 3), zero=False):
        super().__init__()
        a, b, c, d = widths
        self.stem, self.dims = stem, dims
        convs = [nn.Conv2d if n == 2 else nn.Conv3d for n in dims]

        def down(n, channels):
            # a 2-D stage leaves time alone; time is halved in stages 3 and 4 whatever their kind
            return n(channels, channels, 3, 2, 1) if n is nn.Conv2d else n(channels, channels, 3, (1, 2, 2), 1)

        if stem == "full":
            self.stage1 = nn.Sequential(Residual(convs[0], 1, a, 7), down(convs[0], a))
            self.stage2 = nn.Sequential(Residual(convs[1], a, b), down(convs[1], b))
        else:
            self.stage1 = nn.Identity()
            self.stage2 = nn.Sequential(convs[1](16, b, 3, padding=1), Residual(convs[1], b, b))
        self.stage3 = nn.Sequential(Residual(convs[2], b, c), down(convs[2], c))
        self.stage4 = nn.Sequential(Residual(convs[3], c, d), down(convs[3], d))
        self.time3 = nn.Conv3d(c, c, (3, 1, 1), (2, 1, 1), (1, 0, 0))
        self.time4 = nn.Conv3d(d, d, (3, 1, 1), (2, 1, 1), (1, 0, 0))
        self.out = nn.Conv3d(d, latent, 1)
        if zero:
            nn.init.zeros_(self.out.weight)
            nn.init.zeros_(self.out.bias)

    def run(self, stage, dims, x):
        return full(stage(flat(x)), x.shape[0]) if dims == 2 else stage(x)

    def forward(self, x):
        if self.stem == "full":
            x = self.run(self.stage1, self.dims[0], x)
        else:
            x = full(F.pixel_unshuffle(flat(x), 4), x.shape[0])
        x = self.run(self.stage2, self.dims[1], x)
        x = self.time3(self.run(self.stage3, self.dims[2], x))
        x = self.time4(self.run(self.stage4, self.dims[3], x))
        return self.out(x)


class HyperAnalysis(nn.Sequential):
    """Latents -> hyper-latents at a quarter of the latents' grid in y and x, frame by frame."""

    def __init__(self, latent, hyper):
        super().__init__(nn.Conv2d(latent, hyper, 3, 1, 1), nn.LeakyReLU(0.2), nn.Conv2d(hyper, hyper, 5, 2, 2),
                         nn.LeakyReLU(0.2), nn.Conv2d(hyper, hyper, 5, 2, 2))

    def forward(self, y):
        return full(super().forward(flat(y)), y.shape[0])
