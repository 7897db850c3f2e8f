# SPDX-License-Identifier: Apache-2.0
"""Files for the tests of the command line, made and read with the standard library alone."""
import math
import os
import struct
import subprocess
import sys
import tempfile
import unittest

FMC = os.environ.get("FMC", "fmc")
HOST = "<" if sys.byteorder == "little" else ">"
CODES = {"f4": "f", "f8": "d"}


def count(dims):
    return math.prod(dims)


def field(dims, base=280.0):
    """A smooth field with a little noise, as a flat list in C order; the same on every run."""
    values, state = [], 12345
    for i in range(count(dims)):
        at, rest = [], i
        for n in reversed(dims):
            at.append(rest % n)
            rest //= n
        state = (state * 1103515245 + 12345) % (1 << 31)
        wave = sum(math.sin(0.13 * x + 0.7 * k) * 5.0 for k, x in enumerate(at))
        values.append(base + wave + 1e-3 * (state / (1 << 31) - 0.5))
    return values


def pack(values, kind="f4", order=HOST):
    return struct.pack(f"{order}{len(values)}{CODES[kind]}", *values)


def unpack(data, kind="f4", order=HOST):
    return list(struct.unpack(f"{order}{len(data) // int(kind[1])}{CODES[kind]}", data))


def npy_bytes(samples, dims, kind="f4", order=HOST, fortran=False, version=1, header=None):
    shape = "".join(f"{n}, " for n in dims)
    text = header or f"{{'descr': '{order}{kind}', 'fortran_order': {fortran}, 'shape': ({shape}), }}"
    size = 10 if version == 1 else 12
    text += " " * (-(size + len(text) + 1) % 64) + "\n"
    prefix = b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(text))
    return prefix + text.encode("latin-1") + samples


def npy_read(data):
    """(dims, kind, samples as bytes) of an .npy file that fmc wrote."""
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    size = struct.unpack("<H", data[8:10])[0]
    assert (10 + size) % 64 == 0
    head = eval(data[10:10 + size].decode())  # made by the program under test, for the test
    assert head["descr"][0] == HOST and head["fortran_order"] is False
    return head["shape"], head["descr"][1:], data[10 + size:]


def _nc_name(text):
    raw = text.encode()
    return struct.pack(">I", len(raw)) + raw + b"\0" * (-len(raw) % 4)


def netcdf_bytes(name, dims, values, fill=None, nc_type=5):
    """A classic netCDF file with one float variable (nc_type 5) or short variable (3): CDF-1, big-endian."""
    head = b"CDF\x01" + struct.pack(">I", 0) + struct.pack(">II", 10, len(dims))
    for i, n in enumerate(dims):
        head += _nc_name(f"d{i}") + struct.pack(">I", n)
    head += struct.pack(">II", 0, 0) + struct.pack(">II", 11, 1) + _nc_name(name)
    head += struct.pack(f">I{len(dims)}I", len(dims), *range(len(dims)))
    head += struct.pack(">II", 0, 0) if fill is None else (
        struct.pack(">II", 12, 1) + _nc_name("_FillValue") + struct.pack(">IIf", 5, 1, fill))
    samples = pack(values, "f4", ">") if nc_type == 5 else struct.pack(f">{len(values)}h", *values)
    samples += b"\0" * (-len(samples) % 4)
    return head + struct.pack(">III", nc_type, len(samples), len(head) + 12) + samples


class CliCase(unittest.TestCase):
    """Runs fmc in an empty folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def path(self, name):
        return os.path.join(self.folder, name)

    def put(self, name, data):
        with open(self.path(name), "wb") as f:
            f.write(data)

    def get(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def run_fmc(self, *args, want=0, data=b""):
        """Run fmc and demand its exit code; returns standard output as bytes, self.err has standard error."""
        done = subprocess.run([FMC, *args], cwd=self.folder, input=data, capture_output=True, timeout=300)
        self.err = done.stderr.decode(errors="replace")
        self.assertEqual(done.returncode, want, f"fmc {' '.join(args)}\n{self.err}\n{done.stdout[:2000]!r}")
        if want != 0 and args[0] not in ("verify", "bench"):
            self.assertTrue(self.err.startswith("fmc: "), self.err)
        return done.stdout

    def fails(self, want, words, *args, data=b""):
        """Demand failure with these words in the message, and that no output or temporary file is left."""
        before = sorted(os.listdir(self.folder))
        out = self.run_fmc(*args, want=want, data=data)
        self.assertIn(words, self.err)
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        return out
