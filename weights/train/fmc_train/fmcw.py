# SPDX-License-Identifier: Apache-2.0
"""Files of weights, docs/weights-format.md: the container. What must be checked beyond it is in checks.py."""
import dataclasses
import json
import struct

import numpy as np

from .xxh64 import xxh64

MAGIC, VERSION = b"FMCW", 1
ALIGN = 64
NONE = 0xFFFFFFFF
MAX_OPS, MAX_ARRAYS, MAX_CHANNELS, MAX_RANK = 4096, 8192, 4096, 6
WIDE = (1 << 23) - 1
TYPES = {1: np.dtype("<i1"), 2: np.dtype("<i2"), 3: np.dtype("<i4"), 4: np.dtype("<u1"), 5: np.dtype("<u2"),
         6: np.dtype("<f4"), 7: np.dtype("<f2")}
CODES = {t: c for c, t in TYPES.items()}
KINDS = {"input": 0, "affine": 1, "conv": 2, "leaky": 3, "hswish": 4, "add": 5, "gate": 6, "maxpool": 7, "upsample": 8,
         "tilestat": 9, "shuffle": 10, "concat": 11, "digit": 12,
         "f_input": 32, "f_conv": 33, "f_norm": 34, "f_relu": 35, "f_leaky": 36, "f_add": 37, "f_fold": 38, "f_scale": 39,
         "f_concat": 40}
NAMES = {v: k for k, v in KINDS.items()}
ARITY = {"input": (0, 0), "f_input": (0, 0), "add": (2, 2), "f_add": (2, 2), "gate": (2, 2), "upsample": (2, 2),
         "concat": (2, 8),
         "f_concat": (2, 8)}
OP = struct.Struct("<10I I ii 8I 3I")                    # 24 words
ARRAY = struct.Struct("<40s BBH 6I QQ I")                # 88 bytes
PROGRAM = struct.Struct("<16s 8I")                       # name, first op, ops, outputs, 4 output tensors, reserved
MODEL = struct.Struct("<16s 28I")
SECTION = struct.Struct("<8s QQ")


class BadModel(ValueError):
    """The file is not a valid model; the message says why."""


def need(condition, why):
    if not condition:
        raise BadModel(why)


@dataclasses.dataclass
class Op:
    kind: str
    inputs: tuple
    channels: int
    lo: int = 0
    hi: int = 0
    p: tuple = (0,) * 8
    arrays: tuple = (None, None, None)


@dataclasses.dataclass
class Program:
    ops: list
    outputs: list


@dataclasses.dataclass
class Model:
    architecture: str
    numbers: dict           # the words of section MODEL
    programs: dict          # name -> Program
    arrays: dict            # name -> numpy array
    record: dict            # training record


PRIOR_NUMBERS = ["layout", "width1", "width2"]
NUMBERS = ["levels", "latent", "hyper", "patch_t", "patch_y", "patch_x", "hyper_y", "hyper_x", "latent_frac", "output_frac",
           "scales"]


def names_of(architecture):
    """What the words of section MODEL are called."""
    need(architecture in ("vae", "prior"), f"architecture {architecture} is not known")
    return NUMBERS if architecture == "vae" else PRIOR_NUMBERS


# --- writing ---------------------------------------------------------------------------------------------------------

def _pad(data):
    return data + bytes(-len(data) % ALIGN)


def write(model):
    """The bytes of a model. The result is validated by reading it back."""
    names = list(model.arrays)
    number = {name: i for i, name in enumerate(names)}
    ops, programs = [], []
    for name, program in model.programs.items():
        outputs = list(program.outputs)
        programs.append(PROGRAM.pack(name.encode(), len(ops), len(program.ops), len(outputs),
                                     *(outputs + [0] * (4 - len(outputs))), 0))
        for op in program.ops:
            inputs = list(op.inputs) + [0] * (8 - len(op.inputs))
            p = list(op.p) + [0] * (8 - len(op.p))
            arrays = [NONE if a is None else number[a] for a in op.arrays]
            ops.append(OP.pack(KINDS[op.kind], len(op.inputs), *inputs, op.channels, op.lo, op.hi, *p, *arrays))
    data, table = b"", []
    for name in names:
        array = np.ascontiguousarray(model.arrays[name])
        code = CODES[array.dtype.newbyteorder("<")]
        raw = array.astype(TYPES[code]).tobytes()
        need(len(name.encode()) < 40, f"array name too long: {name}")
        table.append(ARRAY.pack(name.encode(), code, array.ndim, 0, *(list(array.shape) + [0] * (6 - array.ndim)),
                                len(data), len(raw), 0))
        data += _pad(raw)
    words = [model.numbers[n] for n in names_of(model.architecture)]
    record = json.dumps(model.record, sort_keys=True, indent=1).encode()
    bodies = [(b"MODEL", MODEL.pack(model.architecture.encode(), *words, *([0] * (28 - len(words))))),
              (b"PROGRAMS", b"".join(programs)), (b"OPS", b"".join(ops)), (b"ARRAYS", b"".join(table)), (b"DATA", data),
              (b"RECORD", record)]
    offset = 32 + SECTION.size * len(bodies)
    offset += -offset % ALIGN
    sections, content = b"", b""
    for name, body in bodies:
        sections += SECTION.pack(name, offset + len(content), len(body))
        content += _pad(body)
    tail = struct.pack("<II", len(bodies), 0) + sections
    tail += bytes(offset - 24 - len(tail)) + content
    out = MAGIC + struct.pack("<HHQQ", VERSION, 0, 24 + len(tail), xxh64(tail)) + tail
    read(out)
    return out


# --- reading ---------------------------------------------------------------------------------------------------------

def _text(raw, what):
    name = raw.split(b"\0", 1)[0]
    need(raw == name + bytes(len(raw) - len(name)) and name and all(33 <= c < 127 for c in name), f"{what}: bad name")
    return name.decode()


def _sections(data):
    need(len(data) >= 64, "shorter than a header")
    need(data[:4] == MAGIC, "wrong magic")
    version, reserved, size, digest = struct.unpack_from("<HHQQ", data, 4)
    need(version == VERSION and reserved == 0, f"version {version} is not known")
    need(size == len(data), "length differs from the header")
    need(xxh64(data[24:]) == digest, "hash differs")
    count, reserved = struct.unpack_from("<II", data, 24)
    need(count <= 32 and reserved == 0 and 32 + count * SECTION.size <= size, "section table")
    sections, end = {}, 32 + count * SECTION.size
    for i in range(count):
        name, offset, length = SECTION.unpack_from(data, 32 + i * SECTION.size)
        name = _text(name, "section")
        need(offset % ALIGN == 0 and offset >= end and offset <= size and length <= size - offset,
             f"section {name}: place")
        need(name not in sections, f"section {name} twice")
        sections[name], end = data[offset:offset + length], offset + length
    for name in ("MODEL", "PROGRAMS", "OPS", "ARRAYS", "DATA"):
        need(name in sections, f"no section {name}")
    return sections


def _read_arrays(sections):
    table, data = sections["ARRAYS"], sections["DATA"]
    need(len(table) % ARRAY.size == 0 and len(table) // ARRAY.size <= MAX_ARRAYS, "array table")
    arrays, end = {}, 0
    for fields in ARRAY.iter_unpack(table):
        name, code, rank, zero, *rest = fields
        dims, offset, length, last = rest[:6], *rest[6:]
        name = _text(name, "array")
        need(code in TYPES and 1 <= rank <= MAX_RANK and zero == 0 and last == 0, f"array {name}: type or rank")
        need(all(d > 0 for d in dims[:rank]) and not any(dims[rank:]), f"array {name}: dimensions")
        count = 1
        for d in dims[:rank]:
            count *= d
            need(count <= len(data), f"array {name}: size")
        need(count * TYPES[code].itemsize == length, f"array {name}: size")
        need(offset % ALIGN == 0 and offset >= end and offset <= len(data) and length <= len(data) - offset,
             f"array {name}: place")
        need(name not in arrays, f"array {name} twice")
        arrays[name] = np.frombuffer(data, TYPES[code], count, offset).reshape(dims[:rank])
        end = offset + length
    return arrays


def places(data):
    """(offset in the file, number of elements, bytes of one) of the arrays of a valid file."""
    count, = struct.unpack_from("<I", data, 24)
    sections = {n.rstrip(b"\0"): (at, length) for n, at, length in SECTION.iter_unpack(data[32:32 + SECTION.size * count])}
    start, (table, length) = sections[b"DATA"][0], sections[b"ARRAYS"]
    rows = [(TYPES[row[1]].itemsize, row[-3], row[-2]) for row in ARRAY.iter_unpack(data[table:table + length])]
    return [(start + offset, length // width, width) for width, offset, length in rows]


def read(data):
    """Model from bytes, or BadModel."""
    sections = _sections(bytes(data))
    need(len(sections["MODEL"]) == MODEL.size, "section MODEL: size")
    name, *words = MODEL.unpack(sections["MODEL"])
    architecture = _text(name, "architecture")
    names = names_of(architecture)
    need(not any(words[len(names):]), "section MODEL: reserved words")
    numbers = dict(zip(names, words))
    arrays = _read_arrays(sections)
    by_number = list(arrays)
    need(len(sections["OPS"]) % OP.size == 0 and len(sections["OPS"]) // OP.size <= MAX_OPS, "section OPS: size")
    raw = list(OP.iter_unpack(sections["OPS"]))
    need(len(sections["PROGRAMS"]) % PROGRAM.size == 0 and len(sections["PROGRAMS"]) // PROGRAM.size <= 16, "programs")
    programs, next_op = {}, 0
    for name, first, count, n_outputs, *rest in PROGRAM.iter_unpack(sections["PROGRAMS"]):
        name = _text(name, "program")
        outputs, reserved = rest[:4], rest[4]
        need(name not in programs, f"program {name} twice")
        need(first == next_op and 1 <= count <= len(raw) - first and 1 <= n_outputs <= 4 and reserved == 0,
             f"program {name}: ops")
        need(all(o < count for o in outputs[:n_outputs]) and not any(outputs[n_outputs:]), f"program {name}: outputs")
        next_op = first + count
        ops = [_read_op(words, by_number, f"{name} op {i}") for i, words in enumerate(raw[first:next_op])]
        programs[name] = Program(ops, list(outputs[:n_outputs]))
    need(next_op == len(raw), "ops outside programs")
    record = {}
    if "RECORD" in sections:
        try:
            record = json.loads(sections["RECORD"].decode())
        except ValueError:
            raise BadModel("training record is not JSON") from None
    model = Model(architecture, numbers, programs, arrays, record)
    if architecture == "prior":
        from .prior import check
        check(model)
    else:
        from .checks import check_model
        check_model(model)
    return model


def _read_op(words, by_number, where):
    kind, n_inputs, *rest = words
    inputs, rest = rest[:8], rest[8:]
    channels, lo, hi, rest = rest[0], rest[1], rest[2], rest[3:]
    p, refs = rest[:8], rest[8:]
    need(kind in NAMES, f"{where}: unknown kind {kind}")
    low, high = ARITY.get(NAMES[kind], (1, 1))
    need(low <= n_inputs <= high and not any(inputs[n_inputs:]), f"{where}: inputs")
    need(all(r == NONE or r < len(by_number) for r in refs), f"{where}: array number")
    return Op(NAMES[kind], tuple(inputs[:n_inputs]), channels, lo, hi, tuple(p),
              tuple(None if r == NONE else by_number[r] for r in refs))
