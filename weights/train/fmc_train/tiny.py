# SPDX-License-Identifier: Apache-2.0
"""A model of a few kilobytes with random weights and every kind of op: for tests of loaders and decoders, not for data."""
import torch

from .export import export
from .train import exact_arithmetic
from .vae import Config, Vae


def random_fields(count, seed, frames=8, size=64):
    """Smooth random fields (count, 1, frames, size, size) of unit variance."""
    generator = torch.Generator().manual_seed(seed)
    axes = [torch.fft.fftfreq(n, 1 / n) ** 2 for n in (frames, size, size)]
    k = (axes[0][:, None, None] + axes[1][:, None] + axes[2]).sqrt()
    noise = torch.randn(count, 1, frames, size, size, generator=generator)
    x = torch.fft.ifftn(torch.fft.fftn(noise, dim=(2, 3, 4)) / (1 + k) ** 2.2, dim=(2, 3, 4)).real
    return x / x.std()


@torch.no_grad()
def roughen(model, seed):
    """Weights far from their start, so that nothing is zero by accident."""
    generator = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        noise = torch.randn(p.shape, generator=generator)
        if p.dim() == 5 and "klt" not in name:
            p.add_(noise * 0.5 / (p[0].numel() ** 0.5))
        elif p.dim() < 5 and "basis" not in name:
            p.add_(0.1 * noise)
    return model


def quantised(variant="klt", seed=0, **changes):
    """Calibrated and quantised small Vae."""
    exact_arithmetic()
    torch.manual_seed(seed)
    klt = variant == "klt"
    small = {"variant": variant, "stem": "folded" if klt else "full", "latent": 8, "hyper": 4, "hyper_linear": 4 if klt else 0,
             "widths": (4, 4, 4, 8), "blocks": 2, "sr_width": 8, **changes}
    model = Vae(Config(**small))
    model.start(random_fields(12, seed + 1))
    roughen(model, seed + 2)
    model.calibrate(random_fields(4, seed + 3))
    model.set_quantised(True)
    return model


def make(variant="klt", seed=0):
    return export(quantised(variant, seed), {"note": "random weights, for tests"})
