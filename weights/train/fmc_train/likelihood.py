# SPDX-License-Identifier: Apache-2.0
"""Cost of integers under the 64 zero-mean tables of the entropy coder, differentiable in value and scale."""
import math

import torch

from .tables import SCALE_MIN, SCALE_RATIO, SCALES

LOG_RATIO = math.log(SCALE_RATIO)
TAIL = 20.0                                             # beyond this many sigma the cost goes on as a straight line


class _LiveClamp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, low, high):
        ctx.save_for_backward(x)
        ctx.span = low, high
        return x.clamp(low, high)

    @staticmethod
    def backward(ctx, gradient):
        x, = ctx.saved_tensors
        low, high = ctx.span
        stuck = ((x <= low) & (gradient > 0)) | ((x >= high) & (gradient < 0))
        return gradient.masked_fill(stuck, 0.0), None, None


def live_clamp(x, low, high):
    """clamp whose gradient outside is kept where descent leads back inside: nothing stays stuck beyond an end."""
    return _LiveClamp.apply(x, low, high)


def index_of(sigma):
    """Continuous scale index of a standard deviation (tensor or float)."""
    if isinstance(sigma, torch.Tensor):
        return torch.log(sigma / SCALE_MIN) / LOG_RATIO
    return math.log(sigma / SCALE_MIN) / LOG_RATIO


def bits(value, index):
    """-log2 P(value) of a bin of width one centred at `value`, under a Gaussian of scale index `index` (clamped to 0..63).

    In the log domain, with live gradients however far the value is from the mean.
    """
    sigma = SCALE_MIN * torch.exp(live_clamp(index, 0, SCALES - 1) * LOG_RATIO)
    distance = value.abs()
    near = torch.minimum(distance, TAIL * sigma)
    low, high = (near - 0.5) / sigma, (near + 0.5) / sigma
    log_low, log_high = torch.special.log_ndtr(-low), torch.special.log_ndtr(-high)
    log_p = log_low + torch.log(-torch.expm1((log_high - log_low).clamp(max=-1e-6)))
    beyond = (distance - near) * (TAIL / sigma)
    return (beyond - log_p) / math.log(2)
