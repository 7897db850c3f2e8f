# SPDX-License-Identifier: Apache-2.0
"""The package's functions: arguments to C structs, statuses to exceptions, no logic of their own."""
import contextlib
import operator
import os

import numpy as np

from ._library import ffi, lib

_DTYPES = {lib.FMC_F32: np.dtype("f4"), lib.FMC_F64: np.dtype("f8")}
_BOUNDS = ("lossless", "abs", "rel", "pw_rel", "nrmse", "psnr", "size")
_CODERS = ("auto", "transform", "interp", "grid", "exact", "pca")
_AXES = ("auto", "smooth", "unlike", "periodic")


def _enum_value(prefix, argument, name, names):
    if not isinstance(name, str):
        raise TypeError(f"{argument} must be text, one of {', '.join(names)}; not {name!r}")
    if name not in names:
        raise ValueError(f"{argument}: {name!r} is none of {', '.join(names)}")
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


# ------------------------------------------------------------------------------------------------------ arguments


def _integer(argument, value, low, high):
    """value as an int of low..high, or a TypeError or ValueError that names the argument."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{argument} must be an integer, not {value!r}") from None
    if not low <= number <= high:
        raise ValueError(f"{argument} must be {low} to {high}, not {number}")
    return number


def _threads(value):
    return _integer("threads", value, 0, 2**32 - 1)


def _number(argument, value):
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return float(value)
    except TypeError:
        raise TypeError(f"{argument} must be a number, not {value!r}") from None
    except OverflowError:
        raise ValueError(f"{argument} is beyond float64") from None


def _per_axis(argument, values, rank):
    """values, any sequence or None, as a list with one entry per axis; empty for None."""
    if values is None:
        return []
    if isinstance(values, (str, bytes)) or not np.iterable(values):
        raise TypeError(f"{argument} must be a sequence with an entry per axis, not {values!r}")
    values = list(values)
    if len(values) != rank:
        raise ValueError(f"{argument} has {len(values)} entries, the array {rank} axes")
    return values


def _models(models):
    """models, any sequence or None, as a tuple of Model."""
    known = tuple(models) if np.iterable(models) else (models,) if models is not None else ()
    if isinstance(models, Model) or not all(isinstance(m, Model) for m in known):
        raise TypeError(f"models must be a sequence of fmc.Model, such as [model]; not {models!r}")
    return known


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


def _as_bytes(data, argument="data", wanted="bytes-like (fmc.read also takes a path)"):
    """(cffi pointer holder, size) of a bytes-like object, borrowed."""
    try:
        view = ffi.from_buffer(data)
    except TypeError:
        raise TypeError(f"{argument} must be {wanted}, not {type(data).__name__}") from None
    except (BufferError, ValueError):
        raise ValueError(f"{argument} must lie in memory without gaps; pass a copy") from None
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
                data, size = _as_bytes(data_or_path, "data_or_path", "a path or bytes-like")
                _check(ctx, lib.fmc_model_open_buffer(ctx, data, size, out))
        self.handle = ffi.gc(out[0], lib.fmc_model_close)
        facts = _new_struct("fmc_model_info")
        _check(ffi.NULL, lib.fmc_model_describe(self.handle, facts))
        self.hash = int(facts.hash)
        self.architecture = ffi.string(facts.architecture).decode()


# ------------------------------------------------------------------------------------------------------- compress


def _coder_value(name):
    """"transform", "vae" or "vae+transform": the last two with a model's prediction below."""
    model, _, rest = name.partition("+") if isinstance(name, str) else (name, "", "")
    if model != "vae":
        return _enum_value("FMC_CODER_", "coder", name, _CODERS)
    return lib.FMC_CODER_VAE | _enum_value("FMC_CODER_", "coder", rest or "auto", _CODERS)


def _params(rank, bounds, effort, threads, coder, fill, chunk, axis, model, embed):
    given = {k: v for k, v in bounds.items() if v is not None and (k != "lossless" or v)}
    if len(given) != 1:
        raise TypeError(f"give exactly one of {', '.join(_BOUNDS)}, not {len(given)}")
    kind, value = next(iter(given.items()))
    params = ffi.new("fmc_params *")
    _check(ffi.NULL, lib.fmc_params_init(params, ffi.sizeof("fmc_params")))
    params.bound_kind = _enum_value("FMC_BOUND_", "bound", kind, _BOUNDS)
    params.bound = 0.0 if kind == "lossless" else _number(kind, value)
    params.effort = _integer("effort", effort, 1, 9)
    params.n_threads = _threads(threads)
    params.coder = _coder_value(coder)
    if isinstance(model, Model):
        params.model = model.handle
    elif model is not None and model is not False:
        raise TypeError(f"model must be an fmc.Model, False or None, not {model!r}")
    params.no_model = model is False
    params.embed = bool(embed)
    if fill is not None:
        params.has_fill, params.fill_value = 1, _number("fill", fill)
    for i, extent in enumerate(_per_axis("chunk", chunk, rank)):
        params.chunk[i] = _integer("chunk", extent, 0, 2**63 - 1)
    for i, kind in enumerate(_per_axis("axis", axis, rank)):
        params.axis[i] = _enum_value("FMC_AXIS_", "axis", kind, _AXES)
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
    effort 1 (fast), 5, 7 or 9 (smallest); threads 0: one per core, never changes the bytes; coder auto, transform,
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
    threads = _threads(threads)
    with _context(_models(models)) as ctx:
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
            self._view, self._size = _as_bytes(data_or_path, "data_or_path", "a path or bytes-like")
            self._bytes = memoryview(ffi.buffer(self._view))
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


def _full_region(region, rank):
    """region as a list of one slice or integer per axis, Ellipsis and what is not named replaced by whole axes."""
    parts = [] if region is None else list(region) if isinstance(region, tuple) else [region]
    dots = [i for i, part in enumerate(parts) if part is Ellipsis]
    if len(dots) > 1:
        raise ValueError("region has more than one Ellipsis")
    at = dots[0] if dots else len(parts)
    before, after = parts[:at], parts[at + 1:]
    if len(before) + len(after) > rank:
        raise ValueError(f"region has {len(before) + len(after)} axes, the stream {rank}")
    return before + [slice(None)] * (rank - len(before) - len(after)) + after


def _range(part, axis, extent, scale):
    """(start, count, index) of one axis; index is what is left to do to the box: 0 drops the axis, as with NumPy."""
    if isinstance(part, slice):
        if part.step not in (None, 1):
            raise ValueError(f"region, axis {axis}: only slices of step 1; scale gives coarser samples")
        try:
            lo, hi, _ = part.indices(extent)
        except TypeError as error:
            raise TypeError(f"region, axis {axis}: {error}") from None
        return lo, max(hi - lo, 0), slice(None)
    if isinstance(part, (bool, np.bool_)) or not hasattr(part, "__index__") or np.ndim(part):
        raise TypeError(f"region, axis {axis}: takes slices, integers and Ellipsis, not {part!r}")
    at = operator.index(part)
    if not -extent <= at < extent:
        raise IndexError(f"region, axis {axis}: {at} is outside the extent {extent}")
    at %= extent
    if extent > 1 and at % scale:
        raise ValueError(f"region, axis {axis}: sample {at} is not there at scale {scale}; take a multiple of it, or a slice")
    return at, 1, 0


def _box(region, shape, scale):
    """(start, count, index) of what region names: start and count per axis, and how to index the box that was read."""
    parts = enumerate(zip(_full_region(region, len(shape)), shape))
    ranges = [_range(part, axis, extent, scale) for axis, (part, extent) in parts]
    return [r[0] for r in ranges], [r[1] for r in ranges], tuple(r[2] for r in ranges)


def read(data_or_path, region=None, scale=1, threads=0, models=(), partial=False):
    """Decode a box of a stream in memory (bytes-like) or in a file (path), reading only the chunks it touches.

    region  as in NumPy's array[region]: slices of step 1, integers (their axis is dropped) and one Ellipsis; axes left out are
            taken whole
    scale   1, or 2, 4, 8: a preview sampled that many times more coarsely, for which no bound is promised; integers in
            region must be multiples of it
    models  those that the stream may need besides the library's own
    partial True: of a stream that was cut off, the steps that are complete, if there are any; else it is an FmcError
    """
    scale = _integer("scale", scale, 1, 8)
    if scale not in (1, 2, 4, 8):
        raise ValueError(f"scale must be 1, 2, 4 or 8, not {scale}")
    threads, models = _threads(threads), _models(models)
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
        start, count, index = _box(region, shape, 1 << scale_log2)
        out = np.empty([_coarse(s, n, extent, scale_log2) for s, n, extent in zip(start, count, shape)],
                       _DTYPES[facts.dtype])
        start, count = (ffi.new("uint64_t[]", v) for v in (start, count))
        _check(ctx, lib.fmc_reader_read(reader[0], start, count, scale_log2, threads, _describe(out)))
        return out[index]
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
