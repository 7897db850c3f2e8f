# SPDX-License-Identifier: Apache-2.0
"""Size of SPERR at a given error, by its HDF5 filter (packages h5py and hdf5plugin)."""
import math

import numpy as np


def once(field, psnr):
    """Bits and root mean square error of a (T, H, W) float32 field coded as one chunk."""
    import h5py
    import hdf5plugin
    # no chunk cache: reading back from the cache would return the input
    with h5py.File("sperr.h5", "w", driver="core", backing_store=False, rdcc_nbytes=0, rdcc_nslots=1) as file:
        filters = hdf5plugin.Sperr(peak_signal_to_noise_ratio=float(psnr), swap=True)
        stored = file.create_dataset("x", data=field, chunks=field.shape, **filters)
        file.flush()
        decoded = stored[...]
        error = float(np.sqrt(np.mean((decoded.astype(np.float64) - field) ** 2)))
        return 8 * stored.id.get_storage_size(), error


def bits_at(field, error, tries=6):
    """Bits at a root mean square error, by search on the PSNR and interpolation in logarithms."""
    span = float(field.max() - field.min())
    psnr, points = 20 * math.log10(span / error), []
    for _ in range(tries):
        psnr = max(psnr, 1.0)
        bits, got = once(field, psnr)
        points.append((math.log(max(got, 1e-30)), math.log(bits)))
        miss = math.log(error / max(got, 1e-30))
        if abs(miss) < 0.004:
            return float(bits)
        psnr -= 20 * miss / math.log(10)
    points.sort()
    return float(np.exp(np.interp(math.log(error), [e for e, _ in points], [b for _, b in points])))
