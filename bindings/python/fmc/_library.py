# SPDX-License-Identifier: Apache-2.0
"""Find and open libfmc, with the declarations taken from its headers."""
import ctypes.util
import os
import pathlib
import sys

import cffi

from . import _header

_HERE = pathlib.Path(__file__).resolve().parent
_TREE = _HERE.parents[2]  # the project, when the package runs from its source tree
_PATTERNS = {"win32": ("fmc*.dll", "libfmc*.dll"), "darwin": ("libfmc*.dylib",)}.get(sys.platform, ("libfmc.so*",))


def _declarations():
    packaged = _HERE / "_cdef.txt"
    if packaged.exists():
        return packaged.read_text(encoding="ascii")
    return _header.declarations(_TREE / "include")


def _candidates():
    """Where the library may be, in the order of trial: FMC_LIBRARY, beside the package, the source tree, the system."""
    if os.environ.get("FMC_LIBRARY"):
        yield os.environ["FMC_LIBRARY"]
        return
    folders = [_HERE]
    if (_TREE / "include" / "fmc" / "fmc.h").exists():
        folders += [_TREE / "build" / "lib", _TREE / "build"]
    for folder in folders:
        for pattern in _PATTERNS:
            for path in sorted(folder.glob(pattern)):
                if path.is_file():
                    yield str(path)
    found = ctypes.util.find_library("fmc")
    if found:
        yield found


def _open(ffi):
    failures = []
    for path in _candidates():
        try:
            return ffi.dlopen(path), path
        except OSError as error:
            failures.append(str(error))
    hint = "libfmc was not found: build it before pip install, or install it, or set FMC_LIBRARY to the shared library"
    raise ImportError(hint + "".join("\n  " + line for line in failures))


ffi = cffi.FFI()
ffi.cdef(_declarations())
lib, path = _open(ffi)
if lib.fmc_version() // 100 != lib.FMC_VERSION_MAJOR * 100 + lib.FMC_VERSION_MINOR:
    raise ImportError(f"{path} has version {ffi.string(lib.fmc_version_string()).decode()}, "
                      f"the package needs {lib.FMC_VERSION_MAJOR}.{lib.FMC_VERSION_MINOR}")
