# SPDX-License-Identifier: Apache-2.0
"""Bytes, checksums, and the entropy coding of docs/format.md 11."""
import struct
from decimal import Decimal, getcontext

M32 = (1 << 32) - 1
M64 = (1 << 64) - 1


class Corrupt(Exception):
    """The stream contradicts the format."""


class Truncated(Corrupt):
    """The stream ends before something that it declares."""


class Unsupported(Exception):
    """A newer version, an unknown coder or flag."""


class Skip(Exception):
    """Something that this decoder cannot do here (no zstd, say)."""


def require(condition, what):
    if not condition:
        raise Corrupt(what)


class Reader:
    """Untrusted bytes, front to back."""

    def __init__(self, data):
        self.data = bytes(data)
        self.at = 0

    def left(self):
        return len(self.data) - self.at

    def bytes(self, n):
        if n > self.left():
            raise Truncated("bytes ran out")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, form):
        return struct.unpack("<" + form, self.bytes(struct.calcsize("<" + form)))[0]

    def u8(self):
        return self.number("B")

    def u32(self):
        return self.number("I")

    def f64(self):
        return self.number("d")

    def varint(self):
        value = shift = 0
        while True:
            byte = self.u8()
            value |= (byte & 127) << shift
            if byte < 128:
                require((byte or shift == 0) and value <= M64, "varint")
                return value
            shift += 7
            require(shift < 70, "varint")

    def svarint(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def section(self):
        return Reader(self.bytes(self.varint()))

    def rest(self):
        return self.bytes(self.left())

    def end(self):
        require(self.left() == 0, "bytes left over")


def unzstd(data, size):
    """zstd frames that unpack to exactly `size` bytes."""
    try:
        from compression import zstd
        out = zstd.decompress(data)
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise Skip("no zstd in this Python")
        out = zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(size + 1)
    require(len(out) == size, "zstd size")
    return out


def blob(r, size):
    """5.2.1"""
    packed = r.varint()
    return r.bytes(size) if packed == 0 else unzstd(r.bytes(packed), size)


def _rotate(v, n, bits):
    return ((v << n) | (v >> (bits - n))) & ((1 << bits) - 1)


def xxh32(data):
    p1, p2, p3, p4, p5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
    n, at = len(data), 0
    if n >= 16:
        v = [(p1 + p2) & M32, p2, 0, -p1 & M32]
        while at + 16 <= n:
            for i, word in enumerate(struct.unpack_from("<4I", data, at)):
                v[i] = _rotate((v[i] + word * p2) & M32, 13, 32) * p1 & M32
            at += 16
        h = sum(_rotate(v[i], (1, 7, 12, 18)[i], 32) for i in range(4)) & M32
    else:
        h = p5
    h = (h + n) & M32
    while at + 4 <= n:
        h = _rotate((h + struct.unpack_from("<I", data, at)[0] * p3) & M32, 17, 32) * p4 & M32
        at += 4
    for byte in data[at:]:
        h = _rotate((h + byte * p5) & M32, 11, 32) * p1 & M32
    h = (h ^ h >> 15) * p2 & M32
    h = (h ^ h >> 13) * p3 & M32
    return h ^ h >> 16


def xxh64(data):
    p1, p2, p3 = 11400714785074694791, 14029467366897019727, 1609587929392839161
    p4, p5 = 9650029242287828579, 2870177450012600261
    n, at = len(data), 0

    def turn(acc, word):
        return _rotate((acc + word * p2) & M64, 31, 64) * p1 & M64

    if n >= 32:
        v = [(p1 + p2) & M64, p2, 0, -p1 & M64]
        while at + 32 <= n:
            for i, word in enumerate(struct.unpack_from("<4Q", data, at)):
                v[i] = turn(v[i], word)
            at += 32
        h = sum(_rotate(v[i], (1, 7, 12, 18)[i], 64) for i in range(4)) & M64
        for x in v:
            h = ((h ^ turn(0, x)) * p1 + p4) & M64
    else:
        h = p5
    h = (h + n) & M64
    while at + 8 <= n:
        h = (_rotate(h ^ turn(0, struct.unpack_from("<Q", data, at)[0]), 27, 64) * p1 + p4) & M64
        at += 8
    if at + 4 <= n:
        h = (_rotate(h ^ (struct.unpack_from("<I", data, at)[0] * p1 & M64), 23, 64) * p2 + p3) & M64
        at += 4
    for byte in data[at:]:
        h = _rotate(h ^ (byte * p5 & M64), 11, 64) * p1 & M64
    h = (h ^ h >> 33) * p2 & M64
    h = (h ^ h >> 29) * p3 & M64
    return h ^ h >> 32


def xxh3_low32(data):
    """Low 32 bits of XXH3-64, or None where the package is missing."""
    try:
        import xxhash
    except ImportError:
        return None
    return xxhash.xxh3_64_intdigest(data) & M32


# --- 11.2, 11.3: tables ---------------------------------------------------------------------------------------------

def _tables():
    getcontext().prec = 40
    stretch, squash = [], []
    for i in range(4096):
        p = (Decimal(i) + Decimal("0.5")) / 4096
        stretch.append(int(((p / (1 - p)).ln() * 256).to_integral_value()))
    for i in range(6145):
        e = (-(Decimal(i - 3072) / 256)).exp()
        squash.append(min(max(int((65536 / (1 + e)).to_integral_value()), 16), 65520))
    return stretch, squash


STRETCH, SQUASH = _tables()
RATE = [65536 * 10 // (10 * n + 16) for n in range(256)]


def squash(s):
    return SQUASH[min(max(s, -3072), 3072) + 3072]


def prob(v):
    """A new counter whose probability of a 1 is v."""
    return int(v * (1 << 22)) << 10


def learn(table, i, bit, limit):
    state = table[i]
    n, v = state & 1023, state >> 10
    v += (((4194303 if bit else 0) - v) * RATE[n]) >> 16
    table[i] = v << 10 | (n + (n < limit))


class Distribution:
    """11.4: of 16 symbols."""

    def __init__(self, a, seen):
        self.a, self.seen = list(a), seen

    def learn(self, s):
        n = self.seen
        h = 2 if n < 2 else 3 if n < 6 else 4 if n < 14 else 5 if n < 30 else 6 if n < 62 else 7
        self.a = [v + (((32752 if i < s else 0) - v) >> h) for i, v in enumerate(self.a)]
        self.seen = min(n + 1, 63)


class Decoder:
    """11.1"""

    def __init__(self, data):
        self.data, self.at = data, 8
        self.range = M64
        self.code = int.from_bytes(data[:8].ljust(8, b"\0"), "big")

    def _shift(self):
        if self.range >> 32 == 0:
            word = int.from_bytes(self.data[self.at:self.at + 4].ljust(4, b"\0"), "big")
            self.at += 4
            self.range = self.range << 32 & M64
            self.code = (self.code << 32 | word) & M64

    def bit(self, p):
        split = (self.range >> 16) * p
        one = self.code < split
        if one:
            self.range = split
        else:
            self.code -= split
            self.range -= split
        self._shift()
        return int(one)

    def raw16(self, n):
        r = self.range >> n
        v = min(self.code // r, (1 << n) - 1)
        self.code = (self.code - v * r) & M64
        self.range = r
        self._shift()
        return v

    def raw(self, n):
        """n bits, highest first, 16 at a time and the remainder last."""
        v = 0
        while n:
            take = min(n, 16)
            v = v << take | self.raw16(take)
            n -= take
        return v

    def adaptive(self, table, i, limit):
        bit = self.bit(min(max(table[i] >> 16, 32), 65504))
        learn(table, i, bit, limit)
        return bit

    def symbol(self, a):
        """11.4"""
        r = self.range >> 15
        bound = [v + 15 - i for i, v in enumerate(a)]
        s = next(i for i, b in enumerate(bound) if self.code >= r * b)
        self.code -= r * bound[s]
        self.range = r * ((bound[s - 1] if s else 32768) - bound[s])
        self._shift()
        return s

    def check(self):
        if self.at - len(self.data) > 12:
            raise Truncated("arithmetic code")
