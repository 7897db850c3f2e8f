# SPDX-License-Identifier: Apache-2.0
"""Header, records, tail and footer, docs/format.md 2 to 4."""
import itertools
import math

import numpy as np

from . import payload
from .bits import M64, Corrupt, Reader, Truncated, Unsupported, require, xxh32


class Header:
    """Chapter 3"""

    def __init__(self, r):
        if r.data[:4] != b"FMC1"[:len(r.data[:4])]:
            raise NotFmc()
        r.bytes(4)
        if r.u8() != 1:
            raise Unsupported("version")
        body = Reader(r.bytes(r.varint()))
        end = r.at
        require(r.u32() == xxh32(r.data[:end]), "header check")
        shape = body.u8()
        rank, dtype, self.is_growing, has_fill = shape & 7, shape >> 3 & 3, shape >> 5 & 1, shape >> 6 & 1
        if shape >> 7 or dtype not in (1, 2) or rank > 5:
            raise Unsupported("shape")
        require(rank, "rank")
        self.real = np.float32 if dtype == 1 else np.float64
        quality = body.u8()
        if quality & 15 > 6:
            raise Unsupported("kind of bound")
        require(1 <= quality >> 4 <= 9, "effort")
        if quality & 15:
            bound = body.f64()
            require(0 < bound < math.inf, "bound")
        self.fill = body.number("f" if dtype == 1 else "d") if has_fill else None
        require(self.fill is None or math.isfinite(self.fill), "fill")
        self.dim = [None] * self.is_growing + [body.varint() for _ in range(rank - self.is_growing)]
        self.chunk = [body.varint() for _ in range(rank)]
        for n, c in zip(self.dim, self.chunk):
            require(c >= 1 if n is None else c == 0 or c < n, "chunk")
        require(math.prod(n for n in self.dim if n) * self.real().itemsize < 1 << 63, "size")
        self._sections(body)

    def _sections(self, body):
        last = -1
        while body.left():
            number = body.varint()
            require(number >> 1 > last, "sections")
            last = number >> 1
            body.section()
            if number & 1:
                raise Unsupported("critical section")


class NotFmc(Exception):
    """Another kind of file."""


def grid_of(dim, chunk):
    return [(-(-n // c) if c else min(n, 1)) for n, c in zip(dim, chunk)]


def read_tail(data, header, header_end):
    """(dim, [(start, size)], [steps])"""
    if len(data) < header_end + 12:
        raise Truncated("no footer")
    size, check = Reader(data[-12:-4]).u32(), Reader(data[-8:-4]).u32()
    if data[-4:] != b"1CMF":
        raise Truncated("no footer")
    begin = len(data) - 12 - size
    require(begin >= header_end and check == xxh32(data[begin:-12] + data[-12:-8]), "footer")
    r = Reader(data[begin:-12])
    require(r.u8() == 2, "tail")
    dim0 = r.varint()
    require(header.is_growing or dim0 == header.dim[0], "dim[0]")
    dim, n = [dim0] + header.dim[1:], r.varint()
    g = math.prod(grid_of(dim[1:], header.chunk[1:]))
    if not header.is_growing:
        require(n == math.prod(grid_of(dim, header.chunk)), "records")
    sizes, steps = [begin - header_end] * n, [dim0]
    if n > 1:
        sizes = [r.varint() for _ in range(n)]
        if header.is_growing:
            require(n % g == 0, "records")
            steps = [r.varint() for _ in range(n // g)]
            require(sum(steps) == dim0 and all(1 <= s <= header.chunk[0] for s in steps), "steps")
    r.end()
    require(sum(sizes) == begin - header_end, "sizes")
    starts = [header_end + s for s in itertools.accumulate([0] + sizes[:-1])]
    return dim, list(zip(starts, sizes)), steps if header.is_growing else None


def read_record(data, ordinal, steps):
    """The payload of one record."""
    r = Reader(data)
    require(r.u8() == 1, "record tag")
    found, thick = r.varint(), r.varint() if steps is not None else None
    size, payload_check = r.varint(), r.u32()
    end = r.at
    require(r.u32() == xxh32(data[:end]), "record check")
    require(found == ordinal and thick == steps and size == r.left(), "record")
    body = r.rest()
    require(xxh32(body) == payload_check, "payload check")
    return body


def decode(data):
    """The whole array of a stream."""
    r = Reader(data)
    header = Header(r)
    dim, places, steps = read_tail(data, header, r.at)
    out = np.zeros(dim, header.real)
    if steps is None:
        edges0 = range(0, dim[0], header.chunk[0] or max(dim[0], 1))
        cells = [[(s, min(header.chunk[0] or dim[0], dim[0] - s)) for s in edges0]]
    else:
        cells = [list(zip(itertools.accumulate([0] + steps[:-1]), steps))]
    for n, c in zip(dim[1:], header.chunk[1:]):
        cells.append([(s, min(c or n, n - s)) for s in range(0, n, c or max(n, 1))])
    boxes = list(itertools.product(*cells))
    require(len(boxes) == len(places) or 0 in dim, "records")
    for ordinal, (box, (start, size)) in enumerate(zip(boxes, places)):
        body = read_record(data[start:start + size], ordinal, None if steps is None else box[0][1])
        part = payload.decode(body, [n for _, n in box], header.real)
        out[tuple(slice(s, s + n) for s, n in box)] = part
    return out
