# SPDX-License-Identifier: Apache-2.0
"""fmc as one more codec, through its Python package (installed, or bindings/python of this source tree)."""
import hashlib
import pathlib
import sys

NAME = "fmc"
_PACKAGE = pathlib.Path(__file__).resolve().parents[2] / "bindings" / "python"


def _module():
    try:
        import fmc
    except ModuleNotFoundError:
        sys.path.insert(0, str(_PACKAGE))
        import fmc
    return fmc


def library_hash():
    """Of the shared library that would be measured. ImportError if there is none."""
    _module()
    from fmc import _library
    return hashlib.sha256(pathlib.Path(_library.path).read_bytes()).hexdigest()


def compress(array, effort, bound, threads=1):
    return _module().compress(array, effort=effort, threads=threads, **bound)


def decompress(data, threads=1):
    return _module().decompress(data, threads=threads)


def release():
    """Scratch memory that earlier calls left."""
    _module().release()


def coder_of(data):
    """(coders, details) of the chunks, each named once, the most frequent first."""
    chunks = _module().info(data)["chunks"]
    return tuple("+".join(_by_count(c[k] for c in chunks)) for k in ("coder", "detail"))


def _by_count(names):
    names = list(names)
    return sorted(set(names), key=lambda n: (-names.count(n), n))[:3]
