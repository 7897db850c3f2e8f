# SPDX-License-Identifier: Apache-2.0
"""Error-bounded lossy compression of NumPy arrays.

    data = fmc.compress(array, rel=1e-3)      # every sample within 1e-3 of the range
    again = fmc.decompress(data)
    fmc.info(data)["chunks"][0]["coder"]
    corner = fmc.read("field.fmc", region=(slice(0, 10), slice(0, 64)))

Calls into the library release the GIL.
"""
from ._api import FmcError, Model, compress, decompress, info, read, release, version

__all__ = ["FmcError", "Model", "compress", "decompress", "info", "read", "release", "version"]
__version__ = "0.1.0"
