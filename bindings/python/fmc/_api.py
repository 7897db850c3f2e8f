# SPDX-License-Identifier: Apache-2.0
"""The package's functions: arguments to C structs, statuses to exceptions, no logic of their own."""
import contextlib
import os

import numpy as np

from ._library import ffi, lib

_DTYPES = {lib.FMC_F32: np.dtype("f4"), lib.FMC_F64: np.dtype("f8")}
_BOUNDS = ("lossless", "abs", "rel", "pw_rel", "nrmse", "psnr", "size")
_CODERS = ("auto", "transform", "interp", "grid", "exact", "pca")
_AXES = ("auto", "smooth", "unlike", "periodic")


def _enum_value(prefix, name, names):
    if name not in names:
        raise ValueError(f"{name!r} is none of {', '.join(names)}")
    return getattr(lib, prefix + name.upper())


def _enum_name(prefix, value, names):
    return next((n for n in names if getattr(lib, prefix + n.upper()) == value), str(value))


class FmcError(Exception):
    """What the library reported: `status` (an FMC_ERR_ value) and `message`."""

    def __init__(self, status, message):
        super().__init__(status, message)
        self.status = int(status)
        self.message = message

    def __str__(self):
        return f"{self.message} (status {self.status})"


def version():
    """Version of the library in use, as text."""
    return ffi.string(lib.fmc_version_string()).decode()


# ------------------------------------------------------------------------------------------------- C side helpers


# Contexts that nobody uses: the next call finds scratch memory and opened models in them. At most _KEPT.
_idle = []
_KEPT = 2


def release():
    """Free the scratch memory, up to 256 MiB a thread, that calls leave to later ones."""
    while _idle:
        lib.fmc_ctx_destroy(_idle.pop())


def _new_context():
    out = ffi.new("fmc_ctx **")
    _check(ffi.NULL, lib.fmc_ctx_create(ffi.NULL, out))
    return out[0]


@contextlib.contextmanager
def _context(models=()):
    """A context for one call; one that knows models, which it does not own, is for that call alone."""
    try:
        ctx = _idle.pop() if not models else _new_context()
    except IndexError:
        ctx = _new_context()
    try:
        for model in models:
            _check(ctx, lib.fmc_ctx_add_model(ctx, model.handle))
        yield ctx
    finally:
        if models or len(_idle) >= _KEPT:
            lib.fmc_ctx_destroy(ctx)
        else:
            _idle.append(ctx)


def _check(ctx, status):
    status = int(status)
    if status == lib.FMC_OK:
        return
    detail = ffi.string(lib.fmc_ctx_message(ctx)).decode("utf-8", "replace") if ctx else ""
    way = ": fmc.Model(FILE)" if status == lib.FMC_ERR_MODEL_MISSING else ""
    raise FmcError(status, (detail or ffi.string(lib.fmc_status_string(status)).decode()) + way)


def _new_struct(name):
    struct = ffi.new(name + " *")
    struct.struct_size = ffi.sizeof(name)
    return struct


def _describe(array):
    """fmc_array for a NumPy array in native byte order. Borrows: the array must outlive it."""
    out = ffi.new("fmc_array *")
    dims = ffi.new("uint64_t[]", list(array.shape))
    dtype = lib.FMC_F32 if array.dtype.itemsize == 4 else lib.FMC_F64
    lib.fmc_array_init(out, dtype, array.ndim, dims, ffi.cast("void *", array.ctypes.data))
    for axis in range(array.ndim):
        out.stride[axis] = array.strides[axis]
    return out


def _as_samples(array):
    """array as float32 or float64 in native byte order, with the strides it has; TypeError or ValueError otherwise."""
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError("masked array: pass array.filled(numpy.nan), NaN samples are kept as missing data")
    array = np.asarray(array)
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise TypeError(f"dtype {array.dtype}: fmc compresses float32 and float64")
    if not 1 <= array.ndim <= lib.FMC_MAX_RANK:
        raise ValueError(f"{array.ndim} dimensions: fmc takes 1 to {lib.FMC_MAX_RANK}")
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _as_bytes(data):
    """(cffi pointer holder, size) of a bytes-like object, borrowed."""
    view = ffi.from_buffer(data)
    return view, ffi.sizeof(view)


# --------------------------------------------------------------------------------------------------------- models


class Model:
    """Learned weights, from a .fmcw file (a path) or its bytes. Streams made with them need them to be decoded.

    hash          what streams name it by
    architecture  "vae"
    """

    def __init__(self, data_or_path):
        out = ffi.new("fmc_model **")
        with _context() as ctx:
            if isinstance(data_or_path, (str, os.PathLike)):
                _check(ctx, lib.fmc_model_open_file(ctx, os.fsencode(data_or_path), out))
            else:
                data, size = _as_bytes(data_or_path)
                _check(ctx, lib.fmc_model_open_buffer(ctx, data, size, out))
        self.handle = ffi.gc(out[0], lib.fmc_model_close)
        facts = _new_struct("fmc_model_info")
        _check(ffi.NULL, lib.fmc_model_describe(self.handle, facts))
        self.hash = int(facts.hash)
        self.architecture = ffi.string(facts.architecture).decode()


# ------------------------------------------------------------------------------------------------------- compress


def _coder_value(name):
    """"transform", "vae" or "vae+transform": the last two with a model's prediction below."""
    model, _, rest = name.partition("+")
    if model != "vae":
        return _enum_value("FMC_CODER_", name, _CODERS)
    return lib.FMC_CODER_VAE | _enum_value("FMC_CODER_", rest or "auto", _CODERS)


def _params(rank, bounds, effort, threads, coder, fill, chunk, axis, model, embed):
    given = {k: v for k, v in bounds.items() if v is not None and (k != "lossless" or v)}
    if len(given) != 1:
        raise TypeError(f"give exactly one of {', '.join(_BOUNDS)}, not {len(given)}")
    kind, value = next(iter(given.items()))
    params = ffi.new("fmc_params *")
    _check(ffi.NULL, lib.fmc_params_init(params, ffi.sizeof("fmc_params")))
    params.bound_kind = _enum_value("FMC_BOUND_", kind, _BOUNDS)
    params.bound = 0.0 if kind == "lossless" else float(value)
    params.effort = effort
    params.n_threads = threads
    params.coder = _coder_value(coder)
    params.no_model = model is False
    if model:
        params.model = model.handle
    params.embed = bool(embed)
    if fill is not None:
        params.has_fill, params.fill_value = 1, float(fill)
    for name, values in (("chunk", chunk), ("axis", axis)):
        if values is not None and len(values) != rank:
            raise ValueError(f"{name} has {len(values)} entries, the array {rank} axes")
    for i, extent in enumerate(chunk or ()):
        params.chunk[i] = extent
    for i, kind in enumerate(axis or ()):
        params.axis[i] = _enum_value("FMC_AXIS_", kind, _AXES)
    return params


def compress(array, *, abs=None, rel=None, pw_rel=None, nrmse=None, psnr=None, size=None, lossless=False, effort=5,
             threads=0, coder="auto", fill=None, chunk=None, axis=None, model=None, embed=False):
    """Compress a float32 or float64 array of 1 to 5 dimensions, any strides, into bytes.

    Give exactly one bound:
      abs       largest error of a sample, in data units
      rel       the same as a fraction of max - min
      pw_rel    the same as a fraction of each sample's magnitude
      nrmse     root mean square error as a fraction of max - min
      psnr      decibels
      size      bytes that the stream may take
      lossless  True: every bit
    effort 1 (fast), 5 or 9 (smallest); threads 0: one per core, never changes the bytes; coder auto, transform,
    interp, grid, exact, pca, vae, vae+transform, vae+interp or vae+pca; fill: this value, like NaN, marks missing data; chunk: extents of the pieces that can be read
    one by one; axis: auto, smooth, unlike or periodic per axis; model: a Model to try, False: none, None: the library's own
    where it may help (a prior on small chunks at effort 5, nearly everywhere at 9); embed: True stores the model in the stream if that saves more than it takes (compresses twice), so
    that nobody needs it to decode. Other byte orders are converted: decompress returns
    native order.
    """
    array = _as_samples(array)
    bounds = dict(abs=abs, rel=rel, pw_rel=pw_rel, nrmse=nrmse, psnr=psnr, size=size, lossless=lossless)
    params = _params(array.ndim, bounds, effort, threads, coder, fill, chunk, axis, model, embed)
    dst = ffi.new("void **")
    dst_size = ffi.new("size_t *")
    with _context() as ctx:
        _check(ctx, lib.fmc_compress_alloc(ctx, _describe(array), params, dst, dst_size))
        try:
            return bytes(ffi.buffer(dst[0], dst_size[0]))
        finally:
            lib.fmc_free(ctx, dst[0])


# ----------------------------------------------------------------------------------------------- decompress, info


def decompress(data, threads=0, models=()):
    """The array in a whole stream (any bytes-like object). models: those it may need besides the library's own."""
    src, size = _as_bytes(data)
    with _context(models) as ctx:
        facts = _new_struct("fmc_info")
        _check(ctx, lib.fmc_inspect(ctx, src, size, facts))
        out = np.empty(tuple(facts.dim[0:facts.rank]), _DTYPES[facts.dtype])
        _check(ctx, lib.fmc_decompress(ctx, src, size, threads, _describe(out)))
        return out


def info(data):
    """What a stream holds, without decoding it: a dict, with one dict per chunk under "chunks"."""
    src, size = _as_bytes(data)
    with _context() as ctx:
        facts = _new_struct("fmc_info")
        _check(ctx, lib.fmc_inspect(ctx, src, size, facts))
        out = _info_dict(facts)
        out["chunks"] = []
        for i in range(facts.n_chunks):
            chunk = _new_struct("fmc_chunk_info")
            _check(ctx, lib.fmc_inspect_chunk(ctx, src, size, i, chunk))
            out["chunks"].append(_chunk_dict(chunk, facts.rank))
        return out


def _info_dict(facts):
    return {
        "format_version": facts.format_version,
        "dtype": _DTYPES[facts.dtype],
        "shape": tuple(facts.dim[0:facts.rank]),
        "chunk": tuple(facts.chunk[0:facts.rank]),
        "size": facts.stream_size,
        "complete": bool(facts.is_complete),
        "bound_kind": _enum_name("FMC_BOUND_", facts.bound_kind, _BOUNDS),
        "bound": facts.bound,
        "effort": facts.effort,
        "fill": facts.fill_value if facts.has_fill else None,
        "model": facts.model or None,
        "model_base": facts.model_base or None,
        "model_size": facts.model_size,
    }


def _chunk_dict(chunk, rank):
    return {
        "coder": _enum_name("FMC_CODER_", chunk.coder, _CODERS),
        "detail": ffi.string(chunk.detail).decode("utf-8", "replace"),
        "start": tuple(chunk.start[0:rank]),
        "shape": tuple(chunk.dim[0:rank]),
        "offset": chunk.offset,
        "size": chunk.size,
        "abs_bound": chunk.abs_bound,
        "model": chunk.model or None,
    }


# ----------------------------------------------------------------------------------------------------------- read


class _Source:
    """Random access to a stream in memory or in a file, as fmc_io callbacks."""

    def __init__(self, data_or_path):
        if isinstance(data_or_path, (str, os.PathLike)):
            self._file = open(data_or_path, "rb")
            self._size = os.fstat(self._file.fileno()).st_size
        else:
            self._file = None
            self._bytes = memoryview(data_or_path).cast("B")
            self._size = self._bytes.nbytes
        self._callbacks = (ffi.callback("int(void *, uint64_t, void *, size_t)", self._read_at, error=1),
                           ffi.callback("int(void *, uint64_t *)", self._get_size, error=1))
        self.io = _new_struct("fmc_io")
        self.io.read_at, self.io.size = self._callbacks

    def _read_at(self, _user, offset, target, size):
        if offset + size > self._size:
            return 1
        if self._file is None:
            ffi.memmove(target, self._bytes[offset:offset + size], size)
            return 0
        self._file.seek(offset)
        return 0 if self._file.readinto(ffi.buffer(target, size)) == size else 1

    def _get_size(self, _user, size):
        size[0] = self._size
        return 0

    def close(self):
        if self._file is not None:
            self._file.close()


def _box(region, shape):
    """(start, count) of a tuple of slices of step 1; axes not named are taken whole."""
    region = () if region is None else region if isinstance(region, tuple) else (region,)
    if len(region) > len(shape):
        raise ValueError(f"region has {len(region)} axes, the stream {len(shape)}")
    start, count = [], []
    for part, extent in zip(region + (slice(None),) * (len(shape) - len(region)), shape):
        if not isinstance(part, slice):
            raise TypeError("region takes slices, one per axis")
        lo, hi, step = part.indices(extent)
        if step != 1:
            raise ValueError("region takes slices of step 1; scale gives coarser samples")
        start.append(lo)
        count.append(max(hi - lo, 0))
    return start, count


def read(data_or_path, region=None, scale=1, threads=0, models=(), partial=False):
    """Decode a box of a stream in memory (bytes-like) or in a file (path), reading only the chunks it touches.

    region  slices of step 1, one per axis; axes left out are taken whole
    scale   1, or 2, 4, 8: a preview sampled that many times more coarsely, for which no bound is promised
    models  those that the stream may need besides the library's own
    partial True: of a stream that was cut off, the steps that are complete, if there are any; else it is an FmcError
    """
    if scale not in (1, 2, 4, 8):
        raise ValueError("scale is 1, 2, 4 or 8")
    source = _Source(data_or_path)
    try:
        with _context(models) as ctx:
            return _read(ctx, source, region, scale.bit_length() - 1, threads, partial)
    finally:
        source.close()


def _read(ctx, source, region, scale_log2, threads, partial):
    reader = ffi.new("fmc_reader **")
    _check(ctx, lib.fmc_reader_open(ctx, source.io, reader))
    try:
        facts = _new_struct("fmc_info")
        _check(ctx, lib.fmc_reader_info(reader[0], facts))
        _check_complete(facts, partial)
        shape = tuple(facts.dim[0:facts.rank])
        start, count = _box(region, shape)
        out = np.empty([_coarse(s, n, extent, scale_log2) for s, n, extent in zip(start, count, shape)],
                       _DTYPES[facts.dtype])
        start, count = (ffi.new("uint64_t[]", v) for v in (start, count))
        _check(ctx, lib.fmc_reader_read(reader[0], start, count, scale_log2, threads, _describe(out)))
        return out
    finally:
        lib.fmc_reader_close(reader[0])


def _check_complete(facts, partial):
    if facts.is_complete or (partial and facts.dim[0]):
        return
    way = f"partial=True reads the {facts.dim[0]} steps that are complete" if facts.dim[0] else "no step of it is complete"
    raise FmcError(lib.FMC_ERR_TRUNCATED, f"the stream was cut off; {way}")


def _coarse(start, count, extent, scale_log2):
    """Samples of [start, start + count) that remain at the coarser resolution (fmc_reader_read)."""
    if extent <= 1:
        return count
    step = 1 << scale_log2
    return -(-(start + count) // step) - -(-start // step)
