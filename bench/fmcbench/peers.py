# SPDX-License-Identifier: Apache-2.0
"""The peers: one class each, and the searches that put them at a target in their best layout.

`param` is the peer's own knob relative to the range of the data: the root mean square error it is asked for (SPERR,
JPEG 2000 at an NRMSE) or the pointwise bound (SZ3, ZFP always; SPERR at a bound).
"""
import dataclasses
import importlib.metadata
import itertools
import math
import os
import struct
import subprocess
import sys
import tempfile

import numpy as np

from . import layouts

SEARCH_STEPS = 10
CLOSE_ENOUGH = 0.985  # of the target: the search stops
KEEP_WITHIN = 1.15  # ways whose first try takes more than this times the best one's bytes are dropped
KEEP_AT_PROBE, KEEP_AT_TARGET = 4, 3  # ways at most
PROBES = (3e-3, 1e-4)  # targets at which all ways are tried once
BYTES_PER_ERROR = 0.4  # rough exponent of bytes against error, to compare first tries that missed differently
TIGHTEN = (1.0, 0.98, 0.9, 0.6)  # what a peer that breaks its own bound is asked for, as parts of the bound
SLACK = 1e-6


class Peer:
    """A codec. encode and decode raise on failure."""

    name = package = ""
    kinds = ()
    ranks = (1, 3)
    variants = ("",)
    obeys_bound = True  # at kind "bound", param is met closely: no search

    def version(self):
        return f"{self.package} {importlib.metadata.version(self.package)}"

    def reason_missing(self):
        """Why it cannot run here, or None."""
        try:
            self.version()
            self._load()
        except Exception as error:  # anything that an import may throw
            return f"PyPI package {self.package} does not load ({type(error).__name__}: {error})"
        return None

    def _load(self):
        raise NotImplementedError

    def encode(self, a, variant, kind, param, extent):
        """Bytes of a C-contiguous array without holes; extent is max - min of its valid samples."""
        raise NotImplementedError

    def decode(self, data, shape, dtype, variant):
        raise NotImplementedError

    def lossless_size(self, a):
        """Bytes, or an estimate in the same order over layouts."""
        return len(self.encode(a, "", "lossless", 0.0, 0.0))


# ----------------------------------------------------------------------------------------------------- the lossy


SZ3_SWITCHES = """[GlobalSettings]
CmprAlgo = ALGO_LORENZO_REG
[AlgoSettings]
Lorenzo = Yes
Lorenzo2ndOrder = Yes
Regression = {regression}
Regression2ndOrder = {regression}
"""


class SZ3(Peer):
    name, package = "SZ3", "pysz"
    kinds = ("nrmse", "bound")
    ranks = (1, 4)
    variants = ("", "lr", "l")  # as it comes; 2nd-order Lorenzo and regression on; Lorenzo only

    def _load(self):
        import pysz
        return pysz

    def _config(self, shape, variant):
        config = self._load().szConfig(shape)
        if variant:
            text = SZ3_SWITCHES.format(regression="Yes" if variant == "lr" else "No")
            with tempfile.NamedTemporaryFile("w", suffix=".ini") as f:
                f.write(text)
                f.flush()
                config.loadcfg(f.name)
        return config

    def encode(self, a, variant, kind, param, extent):
        pysz = self._load()
        config = self._config(a.shape, variant)
        config.errorBoundMode = pysz.szErrorBoundMode.ABS
        config.absErrorBound = param * extent
        return pysz.sz.compress(a, config)[0].tobytes()

    def decode(self, data, shape, dtype, variant):
        return self._load().sz.decompress(np.frombuffer(data, "u1"), dtype, shape)[0].reshape(shape)


class _Imagecodecs(Peer):
    package = "imagecodecs"

    def _load(self):
        import imagecodecs
        return imagecodecs


class SPERR(_Imagecodecs):
    name = "SPERR"
    kinds = ("nrmse", "bound")
    ranks = (2, 3)

    def encode(self, a, variant, kind, param, extent):
        codecs = self._load()
        if kind == "nrmse":
            return codecs.sperr_encode(a, -20 * math.log10(param), "psnr", numthreads=1)
        return codecs.sperr_encode(a, param * extent, "pwe", numthreads=1)

    def decode(self, data, shape, dtype, variant):
        return self._load().sperr_decode(data, numthreads=1).reshape(shape)


class JPEG2000(_Imagecodecs):
    """On 16-bit integers over the range, as one image; 16 header bytes for minimum and maximum are counted."""

    name = "JPEG2000"
    kinds = ("nrmse",)
    ranks = (2, 2)
    top = 65535

    def encode(self, a, variant, kind, param, extent):
        lo = float(a.min())
        unit = (float(a.max()) - lo) / self.top or 1.0
        image = np.rint((a.astype("f8") - lo) / unit).astype("u2")
        code = self._load().jpeg2k_encode(image, level=-20 * math.log10(param), reversible=False, codecformat="j2k",
                                          numthreads=1)
        return struct.pack("<2d", lo, unit) + bytes(code)

    def decode(self, data, shape, dtype, variant):
        lo, unit = struct.unpack("<2d", data[:16])
        image = self._load().jpeg2k_decode(data[16:], numthreads=1)
        return (image.astype("f8") * unit + lo).astype(dtype).reshape(shape)


class ZFP(Peer):
    """zfpy in a process of its own, whose interpreter FMC_ZFP_PYTHON names: it does not live with other packages."""

    name, package = "ZFP", "zfpy"
    kinds = ("nrmse", "bound", "lossless")
    ranks = (1, 4)
    obeys_bound = False
    _process = None

    @staticmethod
    def _interpreter():
        return os.environ.get("FMC_ZFP_PYTHON") or sys.executable

    def version(self):
        code = "import importlib.metadata, zfpy; print(importlib.metadata.version('zfpy'))"
        done = subprocess.run([self._interpreter(), "-c", code], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImportError("set FMC_ZFP_PYTHON to a Python that has zfpy")
        return "zfpy " + done.stdout.strip()

    def _load(self):
        return None

    def _ask(self, verb, tolerance, shape, dtype, payload):
        if self._process is None or self._process.poll() is not None:
            worker = os.path.join(os.path.dirname(__file__), "zfp_worker.py")
            self._process = subprocess.Popen([self._interpreter(), worker], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE)
        head = struct.pack("<cdcB4QQ", verb, tolerance, dtype.char.encode(), len(shape),
                           *(tuple(shape) + (0,) * (4 - len(shape))), len(payload))
        self._process.stdin.write(head + payload)
        self._process.stdin.flush()
        size = self._process.stdout.read(8)
        if len(size) < 8:
            raise RuntimeError("the zfpy process died")
        return self._process.stdout.read(struct.unpack("<Q", size)[0])

    def encode(self, a, variant, kind, param, extent):
        return self._ask(b"e", -1.0 if kind == "lossless" else param * extent, a.shape, a.dtype, a.tobytes())

    def decode(self, data, shape, dtype, variant):
        return np.frombuffer(self._ask(b"d", 0.0, shape, dtype, data), dtype).reshape(shape)


# -------------------------------------------------------------------------------------------------- the lossless


class Zstd(_Imagecodecs):
    """Bytes shuffled by significance, then zstd 19."""

    name = "shuffle+zstd19"
    kinds = ("lossless",)
    ranks = (1, 2)  # knows no axes, but the order of the samples matters

    def _encode(self, a, level):
        shuffled = np.frombuffer(a.tobytes(), "u1").reshape(-1, a.itemsize).T
        return bytes(self._load().zstd_encode(shuffled.tobytes(), level=level))

    def encode(self, a, variant, kind, param, extent):
        return self._encode(a, 19)

    def lossless_size(self, a):
        return len(self._encode(a, 3))

    def decode(self, data, shape, dtype, variant):
        shuffled = np.frombuffer(self._load().zstd_decode(data), "u1").reshape(dtype.itemsize, -1)
        return np.frombuffer(np.ascontiguousarray(shuffled.T).tobytes(), dtype).reshape(shape)


class Pcodec(Peer):
    name, package = "pcodec", "pcodec"
    kinds = ("lossless",)
    ranks = (1, 2)  # as above

    def _load(self):
        from pcodec import ChunkConfig, standalone
        return standalone, ChunkConfig

    def encode(self, a, variant, kind, param, extent):
        standalone, config = self._load()
        return bytes(standalone.simple_compress(a.reshape(-1), config(compression_level=12)))

    def decode(self, data, shape, dtype, variant):
        return np.asarray(self._load()[0].simple_decompress(data)).reshape(shape)


class Fpzip(Peer):
    name, package = "fpzip", "fpzip"
    kinds = ("lossless",)
    ranks = (1, 4)

    def _load(self):
        import fpzip
        return fpzip

    def encode(self, a, variant, kind, param, extent):
        return bytes(self._load().compress(a, precision=0, order="C"))

    def decode(self, data, shape, dtype, variant):
        return np.ascontiguousarray(self._load().decompress(data, order="C")).reshape(shape)


ALL = (SZ3(), ZFP(), SPERR(), JPEG2000(), Zstd(), Pcodec(), Fpzip())
BY_NAME = {peer.name: peer for peer in ALL}


# -------------------------------------------------------------------------------------------------------- search


@dataclasses.dataclass
class Best:
    """The smallest stream found that meets the target, and how it was made."""

    size: int
    layout: layouts.Layout
    variant: str
    param: float
    fill: str = ""  # of the array's holes (Sample.fills); None: the array as it is


class _Trial:
    """One layout, variant and fill: its tries so far, as (param, error, bytes)."""

    def __init__(self, peer, sample, kind, layout, variant, fill):
        self.peer, self.sample, self.kind = peer, sample, kind
        self.layout, self.variant, self.fill = layout, variant, fill
        self.tries = []

    def run(self, param):
        """Error at param. What the peer throws counts as an infinite error."""
        work = self.layout.apply(self.sample.fills[self.fill])
        try:
            data = self.peer.encode(work, self.variant, self.kind, param, self.sample.range)
            back = self.peer.decode(data, work.shape, work.dtype, self.variant)
            nrmse, worst = self.sample.errors(self.layout.undo(back, self.sample.array.shape))
            error, size = nrmse if self.kind == "nrmse" else worst, len(data)
        except Exception:  # a layout that a peer cannot take is no candidate
            error, size = math.inf, 0
        self.tries.append((param, error, size))
        return error

    def best(self, target):
        met = [t for t in self.tries if t[1] <= target * (1 + SLACK)]
        return min(met, key=lambda t: t[2], default=None)

    def expected_size(self, target):
        """Bytes at the target by a rough power law through the first try."""
        _, error, size = self.tries[0]
        return size * (max(error, 1e-30) / target) ** BYTES_PER_ERROR if math.isfinite(error) else math.inf

    def search(self, target):
        """Largest param that meets the target: secant in logarithms, bisection where that leaves the bracket."""
        if math.isinf(self.tries[0][1]):
            return
        for _ in range(SEARCH_STEPS - 1):
            met = self.best(target)
            if met and met[1] >= CLOSE_ENOUGH * target:
                return
            param = self._next(target)
            if param is None:
                return
            self.run(param)

    def _next(self, target):
        low = max((t for t in self.tries if t[1] <= target), key=lambda t: t[0], default=None)
        high = min((t for t in self.tries if t[1] > target), key=lambda t: t[0], default=None)
        if low is None:
            return high[0] * min(0.5, 0.95 * target / high[1])
        if high is None:
            if low[0] > 1e3 * target:
                return None
            return low[0] * min(4.0, max(1.05, 1.02 * target / max(low[1], 1e-30)))
        if high[0] <= low[0] * 1.003 or math.isinf(high[1]):
            return None if high[0] <= low[0] * 1.003 else math.sqrt(low[0] * high[0])
        rise = math.log(high[1] / max(low[1], 1e-30))
        part = min(0.9, max(0.1, math.log(0.995 * target / max(low[1], 1e-30)) / rise)) if rise > 1e-9 else 0.5
        return low[0] * (high[0] / low[0]) ** part


def best_lossy(peer, sample, kind, target):
    """Best for a target, or None."""
    obeys = kind == "bound" and peer.obeys_bound
    trials = [_Trial(peer, sample, kind, *way) for way in _shortlist(peer, sample)]
    for trial in trials:
        trial.run(_first_param(peer, kind, target))
    found = []
    for trial in _most_promising(trials, target, KEEP_AT_TARGET):
        if obeys:
            _tighten(trial, target)
        else:
            trial.search(target)
        met = trial.best(target)
        if met:
            found.append(Best(met[2], trial.layout, trial.variant, met[0], trial.fill))
    return min(found, key=lambda b: b.size, default=None)


def _first_param(peer, kind, target):
    """Where the search begins: near the target, as the peer's knob means it."""
    direct = (kind == "bound" and peer.obeys_bound) or isinstance(peer, _Imagecodecs)
    return target if direct else 1.7 * target


def _shortlist(peer, sample):
    """Ways (layout, variant, fill) worth a try at any target: the best few at each of two probes. Kept in the sample."""
    if peer.name not in sample.shortlists:
        ways = list(itertools.product(layouts.layouts(sample.array.shape, *peer.ranks), peer.variants, sample.fills))
        kept = {}
        for probe in PROBES if len(ways) > KEEP_AT_TARGET else ():
            trials = [_Trial(peer, sample, "nrmse", *way) for way in ways]
            for trial in trials:
                trial.run(_first_param(peer, "nrmse", probe))
            for trial in _most_promising(trials, probe, KEEP_AT_PROBE):
                kept[trial.layout, trial.variant, trial.fill] = True
        sample.shortlists[peer.name] = list(kept) or ways
    return sample.shortlists[peer.name]


def _most_promising(trials, target, count):
    """At most count of the trials that have a first try, those expected smallest at the target first."""
    sized = sorted(((t.expected_size(target), i, t) for i, t in enumerate(trials)), key=lambda s: s[:2])
    return [t for size, _, t in sized[:count] if math.isfinite(size) and size <= KEEP_WITHIN * sized[0][0]]


def _tighten(trial, target):
    for part in TIGHTEN[1:]:
        if trial.best(target):
            return
        trial.run(target * part)


def best_lossless(peer, sample):
    """Best that gives every bit back: of the array as it is, else of the one without holes. None if neither works."""
    for source, fill in ((sample.array, None), (sample.fills[""], "")):
        sized = []
        for i, layout in enumerate(layouts.layouts(sample.array.shape, *peer.ranks)):
            try:
                sized.append((peer.lossless_size(layout.apply(source)), i, layout))
            except Exception:  # as above
                continue
        for size, _, layout in sorted(sized)[:KEEP_AT_TARGET]:
            if _gives_back(peer, layout.apply(source)):
                return Best(size, layout, "", 0.0, fill)
        if sample.whole:
            break
    return None


def _gives_back(peer, work):
    try:
        data = peer.encode(work, "", "lossless", 0.0, 0.0)
        return peer.decode(data, work.shape, work.dtype, "").tobytes() == work.tobytes()
    except Exception:  # as above
        return False
