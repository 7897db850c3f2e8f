# SPDX-License-Identifier: Apache-2.0
"""Every check of a model beyond the container (docs/weights-format.md): shapes, grids, ranges, budgets, tables."""
from fractions import Fraction

import numpy as np

from .fmcw import MAX_CHANNELS, WIDE, need

MAX_VALUES, MAX_WORK = 1 << 14, 1 << 24     # per site of the input: values of one tensor, multiplications of a program


def _array(model, name, dtype, shape, where):
    need(name is not None, f"{where}: array missing")
    array = model.arrays[name]
    need(array.dtype in ([dtype] if not isinstance(dtype, tuple) else [np.dtype(d) for d in dtype]), f"{where}: {name}: type")
    need(array.shape == tuple(shape), f"{where}: {name}: shape {array.shape}, expected {tuple(shape)}")
    return array


def conv_extremes(weight, groups, lo, hi, bias):
    """Largest and smallest partial sum per output channel, 64-bit: numerics of the proof in docs/weights-format.md."""
    w = weight.reshape(weight.shape[0], -1).astype(np.int64)
    lo, hi = min(lo, 0), max(hi, 0)
    top = np.maximum(w * lo, w * hi).sum(1) + np.maximum(bias, 0)
    bottom = np.minimum(w * lo, w * hi).sum(1) + np.minimum(bias, 0)
    return top, bottom


def _check_conv(model, op, x, where):
    kt, kh, kw, st, sh, sw, groups, zero = op.p
    need(zero == 0 and all(k in (1, 3, 5, 7) for k in (kt, kh, kw)) and all(s in (1, 2, 4) for s in (st, sh, sw)),
         f"{where}: kernel or stride")
    need(1 <= groups and x.channels % groups == 0 and op.channels % groups == 0, f"{where}: groups")
    need(-32768 <= x.lo and x.hi <= 32767, f"{where}: input of a convolution must fit 16 bits")
    weight = _array(model, op.arrays[0], np.int8, (op.channels, x.channels // groups, kt, kh, kw), where)
    need((weight != -128).all(), f"{where}: weight -128")
    bias = np.zeros(op.channels, np.int64)
    if op.arrays[1] is not None:
        bias = _array(model, op.arrays[1], np.int32, (op.channels,), where).astype(np.int64)
    shift = _array(model, op.arrays[2], np.uint8, (op.channels,), where)
    need((shift <= 22).all(), f"{where}: shift")
    top, bottom = conv_extremes(weight, groups, x.lo, x.hi, bias)
    need((top <= WIDE).all() and (bottom >= -WIDE).all(), f"{where}: sums can pass 2^23 - 1")


def check_model(model):
    """Everything beyond the container: shapes, ranges, budgets, tables. Raises BadModel."""
    n = model.numbers
    need(1 <= n["levels"] <= 64 and 1 <= n["latent"] <= MAX_CHANNELS and 1 <= n["hyper"] <= MAX_CHANNELS, "sizes")
    need((n["patch_t"], n["patch_y"], n["patch_x"]) == (4, 16, 16) and (n["hyper_y"], n["hyper_x"]) == (4, 4), "grid")
    need(n["latent_frac"] == 4 and 0 <= n["output_frac"] <= 16 and n["scales"] == 64, "fractions")
    for name in ("hyper", "synthesis", "analysis", "hyper_analysis"):
        need(name in model.programs, f"no program {name}")
    for name, program in model.programs.items():
        check_program(model, name, program)
    sides = {"hyper": (n["hyper"], [n["latent"], n["latent"]]), "synthesis": (n["latent"], [1]),
             "analysis": (1, [n["latent"]]), "hyper_analysis": (n["latent"], [n["hyper"]])}
    for name, (channels, outputs) in sides.items():
        program = model.programs[name]
        need(program.ops[0].channels == channels, f"{name}: input channels")
        need([program.ops[o].channels for o in program.outputs] == outputs, f"{name}: output channels")
    index = model.programs["hyper"].ops[model.programs["hyper"].outputs[1]]
    need(index.lo >= 0 and index.hi <= 63, "hyper: scale index outside 0..63")
    want = {"hyper": (1, n["hyper_y"], n["hyper_x"]), "synthesis": (n["patch_t"], n["patch_y"], n["patch_x"]),
            "analysis": (Fraction(1, n["patch_t"]), Fraction(1, n["patch_y"]), Fraction(1, n["patch_x"])),
            "hyper_analysis": (1, Fraction(1, n["hyper_y"]), Fraction(1, n["hyper_x"]))}
    for name, factors in want.items():
        sites = grids(model.programs[name])
        need(all(sites[o] == factors for o in model.programs[name].outputs), f"{name}: grid")
    _array(model, "hyper/mean" if "hyper/mean" in model.arrays else None, np.dtype("<i4"), (n["levels"], n["hyper"]), "hyper")
    scale = _array(model, "hyper/scale" if "hyper/scale" in model.arrays else None, np.uint8, (n["levels"], n["hyper"]),
                   "hyper")
    need((scale <= 63).all(), "hyper/scale outside 0..63")
    need((np.abs(model.arrays["hyper/mean"].astype(np.int64)) <= 1 << 17).all(), "hyper/mean too large")
    for name, channels in (("gain/latent", n["latent"]), ("gain/hyper", n["hyper"])):
        gain = _array(model, name if name in model.arrays else None, np.dtype("<f4"), (n["levels"], channels), name)
        need(np.isfinite(gain).all() and (gain > 0).all(), f"{name}: not positive")
    check_tables(model)


def check_tables(model):
    count = _array(model, "gauss/count" if "gauss/count" in model.arrays else None, np.dtype("<u2"), (64,), "tables")
    need((count >= 1).all() and (count <= 4096).all(), "tables: count")
    frequency = _array(model, "gauss/frequency" if "gauss/frequency" in model.arrays else None, np.dtype("<u2"),
                       (int(count.astype(np.int64).sum()),), "tables").astype(np.int64)
    escape = _array(model, "gauss/escape" if "gauss/escape" in model.arrays else None, np.dtype("<u2"), (64,), "tables")
    need((frequency >= 1).all() and (escape >= 1).all(), "tables: zero frequency")
    start = 0
    for k in range(64):
        f = frequency[start:start + int(count[k])]
        need(int(f[0] + 2 * f[1:].sum()) + int(escape[k]) == 65536, f"tables: sum of scale {k}")
        start += int(count[k])


def grids(program, where=""):
    """Per tensor: sites per site of the input along T, H, W as fractions f; the tensor has ceil(n f) sites.

    Divisions compose, ceil(ceil(n a) / b) = ceil(n a / b); multiplications do so only where nothing was divided before.
    """
    out = []
    for op in program.ops:
        if not op.inputs:
            out.append((Fraction(1),) * 3)
            continue
        f = out[op.inputs[1]] if op.kind == "upsample" else out[op.inputs[0]]
        by = op.p[3:6] if op.kind in ("conv", "f_conv") else op.p[:3]
        if op.kind in ("conv", "f_conv", "shuffle", "maxpool", "tilestat", "f_fold"):
            need(all(1 <= v <= 64 for v in by), f"{where}: stride or factor")
        if op.kind == "shuffle":
            need(all(a.denominator == 1 or b == 1 for a, b in zip(f, op.p)), f"{where}: enlarged after it was reduced")
            f = tuple(a * b for a, b in zip(f, op.p))
        elif op.kind in ("conv", "f_conv"):
            f = tuple(a / s for a, s in zip(f, op.p[3:6]))
        elif op.kind in ("maxpool", "tilestat", "f_fold"):
            f = tuple(a / s for a, s in zip(f, op.p))
        out.append(f)
    return out


def check_program(model, name, program):
    ops = program.ops
    for i, op in enumerate(ops):
        need(all(j < i for j in op.inputs), f"{name} op {i}: input not yet computed")
    sites = grids(program, name)
    work = 0
    for op, f in zip(ops, sites):
        density = f[0] * f[1] * f[2]
        need(op.channels * density <= MAX_VALUES, f"{name}: a tensor is too large")
        if op.kind in ("conv", "f_conv") and op.arrays[0] is not None:
            work += model.arrays[op.arrays[0]].size * density
    need(work <= MAX_WORK, f"{name}: too much work")
    for i, op in enumerate(ops):
        where = f"{name} op {i} ({op.kind})"
        need((i == 0) == (op.kind in ("input", "f_input")), f"{where}: the input is op 0 and there is one")
        need(1 <= op.channels <= MAX_CHANNELS, f"{where}: channels")
        need(name in ("analysis", "hyper_analysis") if op.kind.startswith("f_") else name in ("hyper", "synthesis"),
             f"{where}: float ops belong to the analysis, integer ops to the decoder")
        x = ops[op.inputs[0]] if op.inputs else None
        if op.kind.startswith("f_"):
            _check_float(model, op, x, ops, sites, where)
            continue
        need(-WIDE <= op.lo <= op.hi <= WIDE, f"{where}: range")
        _check_integer(model, op, x, ops, sites, where)


def _factor(op, where, limit=64):
    need(all(1 <= v <= limit for v in op.p[:3]) and not any(op.p[3:]), f"{where}: factor")


def _check_integer(model, op, x, ops, sites, where):
    kind, second = op.kind, ops[op.inputs[1]] if len(op.inputs) > 1 else None
    needs_arrays = {"conv": 3, "affine": 2}.get(kind, 0)
    need(all(a is None for a in op.arrays[needs_arrays:]), f"{where}: arrays not used")
    span = None
    if kind in ("leaky", "gate", "maxpool", "upsample", "tilestat", "concat"):
        need(all(-32768 <= ops[i].lo and ops[i].hi <= 32767 for i in op.inputs if kind != "upsample" or i == op.inputs[0]),
             f"{where}: input must fit 16 bits")
    if kind == "input":
        need((op.lo, op.hi) == (-WIDE, WIDE), f"{where}: range")
    elif kind == "affine":
        need(op.p[0] <= 24 and not any(op.p[1:]) and op.channels == x.channels, f"{where}: parameters")
        shape = (model.numbers["levels"], op.channels)
        _array(model, op.arrays[0], np.int16, shape, where)
        _array(model, op.arrays[1], np.int32, shape, where)
    elif kind == "conv":
        _check_conv(model, op, x, where)
    elif kind == "leaky":
        span = (x.lo >> 3 if x.lo < 0 else x.lo, x.hi >> 3 if x.hi < 0 else x.hi)
    elif kind == "hswish":
        need(-511 <= x.lo and x.hi <= 511, f"{where}: input range")
        span = (-64, 510)
    elif kind == "add":
        need(all(s <= 12 for s in op.p[:3]) and not any(op.p[3:]), f"{where}: shifts")
        reach = max(-x.lo, x.hi) * 2 ** op.p[0] + max(-second.lo, second.hi) * 2 ** op.p[1]
        need(reach < 1 << 30, f"{where}: sum can pass 2^30")
        need(second.channels == x.channels == op.channels, f"{where}: channels")
        need(sites[op.inputs[0]] == sites[op.inputs[1]], f"{where}: grids differ")
    elif kind == "gate":
        _factor(op, where)
        need(second.channels == x.channels, f"{where}: channels")
        need(all(v == a / e for a, v, e in zip(sites[op.inputs[0]], sites[op.inputs[1]], op.p)), f"{where}: grids differ")
        span = (x.lo, x.hi)
    elif kind == "maxpool":
        _factor(op, where)
        span = (x.lo, x.hi)
    elif kind == "upsample":
        _factor(op, where)
        need(all(a == b / e for a, b, e in zip(sites[op.inputs[0]], sites[op.inputs[1]], op.p)), f"{where}: grids differ")
        span = (x.lo, x.hi)
    elif kind == "tilestat":
        _factor(op, where)
        span = (x.lo, x.hi + (x.hi - x.lo))
    elif kind == "shuffle":
        _factor(op, where)
        need(op.channels * int(np.prod(op.p[:3])) == x.channels, f"{where}: channels")
        span = (x.lo, x.hi)
    elif kind == "concat":
        need(sum(ops[i].channels for i in op.inputs) == op.channels, f"{where}: channels")
        need(all(sites[op.inputs[0]] == sites[i] for i in op.inputs), f"{where}: grids differ")
        span = (min(ops[i].lo for i in op.inputs), max(ops[i].hi for i in op.inputs))
    elif kind == "digit":
        need(1 <= op.p[0] <= 14 and op.p[1] in (0, 1) and not any(op.p[2:]), f"{where}: parameters")
        half = 1 << (op.p[0] - 1)
        span = ((x.lo + half) >> op.p[0], (x.hi + half) >> op.p[0]) if op.p[1] else (-half, half - 1)
    if kind in ("leaky", "hswish", "gate", "maxpool", "upsample", "tilestat", "digit"):
        need(op.channels == x.channels, f"{where}: channels")
    if span is not None:
        need((op.lo, op.hi) == span, f"{where}: range {(op.lo, op.hi)}, expected {span}")


def _check_float(model, op, x, ops, sites, where):
    floats = (np.dtype("<f4"), np.dtype("<f2"))
    finite = [model.arrays[a] for a in op.arrays if a is not None]
    need(all(a.dtype in floats and np.isfinite(a.astype(np.float32)).all() for a in finite), f"{where}: array values")
    need(op.lo == op.hi == 0, f"{where}: range")
    c = op.channels
    if op.kind == "f_conv":
        kt, kh, kw, st, sh, sw, groups, zero = op.p
        need(zero == 0 and all(k in (1, 3, 5, 7) for k in (kt, kh, kw)) and all(s in (1, 2, 4) for s in (st, sh, sw)),
             f"{where}: kernel or stride")
        need(1 <= groups and x.channels % groups == 0 and c % groups == 0, f"{where}: groups")
        _array(model, op.arrays[0], floats, (c, x.channels // groups, kt, kh, kw), where)
        if op.arrays[1] is not None:
            _array(model, op.arrays[1], floats, (c,), where)
    elif op.kind in ("f_norm", "f_scale"):
        need(c == x.channels, f"{where}: channels")
        _array(model, op.arrays[0], floats, (c,), where)
        if op.kind == "f_norm":
            _array(model, op.arrays[1], floats, (c,), where)
    elif op.kind == "f_fold":
        _factor(op, where)
        need(c == x.channels * int(np.prod(op.p[:3])), f"{where}: channels")
    elif op.kind == "f_concat":
        need(sum(ops[i].channels for i in op.inputs) == c, f"{where}: channels")
        need(all(sites[op.inputs[0]] == sites[i] for i in op.inputs), f"{where}: grids differ")
    elif op.kind in ("f_relu", "f_leaky"):
        need(c == x.channels, f"{where}: channels")
    elif op.kind == "f_add":
        need(c == x.channels == ops[op.inputs[1]].channels and sites[op.inputs[0]] == sites[op.inputs[1]], f"{where}: operands")
