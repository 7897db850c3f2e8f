# SPDX-License-Identifier: Apache-2.0
"""Header, records, tail and footer, docs/format.md 2 to 4."""
import itertools
import math

import numpy as np

from . import learned, payload
from .bits import Corrupt, Reader, Truncated, Unsupported, blob, require, xxh32


class Header:
    """Chapter 3"""

    def __init__(self, r):
        if r.data[:4] != b"FMC1"[:len(r.data[:4])]:
            raise NotFmc()
        r.bytes(4)
        version = r.u8()
        require(version, "version")
        if version != 5:
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
            contents = body.section()
            if number & 1:
                raise Unsupported("critical section")
            if number == 4:
                self._model(contents)

    @staticmethod
    def _model(r):
        """3.1"""
        name, base = int.from_bytes(r.bytes(8), "little"), int.from_bytes(r.bytes(8), "little")
        size = r.varint()
        require(name and 32 <= size <= 1 << 24, "model in the stream")
        learned.enclose(name, base, size, blob(r, size - 24))
        r.end()


class NotFmc(Exception):
    """Another kind of file."""


def ceil_shift(n, scale):
    return (n + (1 << scale) - 1) >> scale


def grid_of(dim, chunk):
    return [(-(-n // c) if c else min(n, 1)) for n, c in zip(dim, chunk)]


def read_tail(data, header, header_end):
    """(dim, [(start, size)], [steps])"""
    footer = Reader(data[-12:].rjust(12))
    size, check = footer.u32(), footer.u32()
    begin = len(data) - 12 - size
    if begin < header_end or data[-4:] != b"1CMF" or check != xxh32(data[begin:-12] + data[-12:-8]):
        blame(data, header, header_end)
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


def blame(data, header, at):
    """Without a footer: Truncated if the bytes run out where the rest is sound, else Corrupt."""
    r = Reader(data[at:])
    while r.left() and r.data[r.at] == 1:
        begin = r.at
        r.u8()
        r.varint()
        if header.is_growing:
            r.varint()
        size, _ = r.varint(), r.u32()
        end = r.at
        require(r.u32() == xxh32(r.data[begin:end]), "record check")
        r.bytes(size)
    require(r.u8() == 2, "no record")
    r.varint()
    n = r.varint()
    if n > 1:
        for _ in range(n):
            r.varint()
    if header.is_growing and n > 1:
        raise Truncated("no footer")
    r.bytes(12)
    raise Corrupt("footer")


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


def cells_of(dim, chunk, steps):
    """(start, count) of the cells along each axis."""
    out = []
    for a, (n, c) in enumerate(zip(dim, chunk)):
        if a == 0 and steps is not None:
            out.append(list(zip(itertools.accumulate([0] + steps[:-1]), steps)))
        else:
            out.append([(s, min(c or n, n - s)) for s in range(0, n, c or max(n, 1))])
    return out


def decode(data, scale=0):
    """The array of a stream, or its coarse grid: every 2^scale-th sample along each axis."""
    r = Reader(data)
    header = Header(r)
    dim, places, steps = read_tail(data, header, r.at)
    out = np.zeros([ceil_shift(n, scale) for n in dim], header.real)
    boxes = list(itertools.product(*cells_of(dim, header.chunk, steps)))
    require(len(boxes) == len(places), "records")
    for ordinal, (box, (start, size)) in enumerate(zip(boxes, places)):
        body = read_record(data[start:start + size], ordinal, None if steps is None else box[0][1])
        part = [n for _, n in box]
        place = tuple(slice(ceil_shift(s, scale), ceil_shift(s + n, scale)) for s, n in box)
        if all(s % (1 << scale) == 0 for (s, _), n in zip(box, dim) if n > 1):
            out[place] = payload.decode(body, part, header.real, scale)
        else:
            x = payload.decode(body, part, header.real)
            out[place] = x[tuple(slice(-s % (1 << scale), None, 1 << scale) for s, _ in box)]
    return out
