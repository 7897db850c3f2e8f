# SPDX-License-Identifier: Apache-2.0
"""Ways to hand an array of any rank to a codec that wants 1, 2, 3 or 4 axes.

A layout orders the axes and merges neighbours: "02,1" is an image whose rows are axes 0 and 2 merged and whose columns
are axis 1. An array of one axis is folded into an image for codecs that take nothing less ("fold").
"""
import dataclasses
import itertools

import numpy as np

FOLD_WIDTH = 512


@dataclasses.dataclass(frozen=True)
class Layout:
    extents: tuple  # of the array, without axes of extent 1
    groups: tuple  # of axes, each a tuple, slowest first; () = fold

    @property
    def label(self):
        return ",".join("".join(map(str, group)) for group in self.groups) or "fold"

    @property
    def _order(self):
        return tuple(itertools.chain(*self.groups))

    def apply(self, a):
        """a in this layout, C-contiguous."""
        if not self.groups:
            rows = -(-a.size // FOLD_WIDTH)
            return np.pad(a.reshape(-1), (0, rows * FOLD_WIDTH - a.size), mode="edge").reshape(rows, FOLD_WIDTH)
        merged = [int(np.prod([self.extents[i] for i in group])) for group in self.groups]
        return np.ascontiguousarray(a.reshape(self.extents).transpose(self._order)).reshape(merged)

    def undo(self, b, shape):
        """What apply made of an array of that shape, back in that shape."""
        if not self.groups:
            return b.reshape(-1)[:int(np.prod(shape))].reshape(shape)
        ordered = b.reshape([self.extents[i] for i in self._order])
        return np.ascontiguousarray(ordered.transpose(np.argsort(self._order))).reshape(shape)


def layouts(shape, min_rank, max_rank):
    """All layouts of min_rank to max_rank axes for an array; axes of extent 1 are dropped first."""
    extents = tuple(n for n in shape if n > 1) or (1,)
    if len(extents) < min_rank:
        return [Layout(extents, ())]
    found = {}
    for order in _orders(len(extents)):
        for rank in range(min(max_rank, len(extents)), min_rank - 1, -1):
            for cuts in itertools.combinations(range(1, len(extents)), rank - 1):
                ends = (0,) + cuts + (len(extents),)
                groups = tuple(order[a:b] for a, b in zip(ends, ends[1:]))
                for variant in (groups, groups[::-1]) if rank == 2 else (groups,):
                    layout = Layout(extents, variant)
                    found.setdefault(layout.label, layout)
    return list(found.values())


def _orders(n):
    """Orders of n axes worth trying: as they are; the first two exchanged where that leaves two behind them."""
    plain = tuple(range(n))
    if n == 2:
        return [plain, (1, 0)]
    return [plain, (1, 0) + plain[2:]] if n >= 4 else [plain]
