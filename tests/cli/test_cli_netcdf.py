# SPDX-License-Identifier: Apache-2.0
"""netCDF variables as input; exits 77 (skipped) where fmc was built without libnetcdf. FMC names the program."""
import os
import subprocess
import sys
import tempfile
import unittest

from cli_files import FMC, CliCase, field, netcdf_bytes, npy_bytes, npy_read, pack, unpack

DIMS = (4, 10, 12)


class Variables(CliCase):
    def setUp(self):
        super().setUp()
        self.values = unpack(pack([1e20] + field(DIMS)[1:]))
        self.put("file.nc", netcdf_bytes("T", DIMS, self.values, 1e20))

    def test_a_variable_is_read_with_its_fill_value(self):
        self.run_fmc("compress", "file.nc:T", "-o", "out.fmc", "--abs", "0.01")
        self.assertIn("fill        1.000000020040877", self.run_fmc("info", "out.fmc").decode())
        text = self.run_fmc("verify", "file.nc:T", "out.fmc").decode()
        self.assertIn("non-finite or fill  1, all bit-equal", text)
        self.run_fmc("decompress", "out.fmc", "-o", "back.npy")
        dims, kind, data = npy_read(self.get("back.npy"))
        self.assertEqual((dims, kind), (DIMS, "f4"))
        self.assertTrue(all(abs(a - b) <= 0.01 for a, b in zip(self.values, unpack(data))))

    def test_the_command_line_may_name_another_fill_value(self):
        self.run_fmc("compress", "file.nc:/T", "-o", "out.fmc", "--lossless", "--fill=-1")
        self.assertIn("fill        -1", self.run_fmc("info", "out.fmc").decode())

    def test_a_missing_variable_lists_what_there_is(self):
        for name in ("file.nc:U", "file.nc:", "file.nc"):
            self.fails(1, "(file.nc:NAME): T", "compress", name, "-o", "out.fmc", "--rel", "1e-3")

    def test_a_group_that_is_not_there_is_no_other(self):
        self.fails(1, "no group /model", "compress", "file.nc:/model/T", "-o", "out.fmc", "--rel", "1e-3")

    def test_integers_are_refused(self):
        self.put("short.nc", netcdf_bytes("S", (4,), [1, 2, 3, 4], nc_type=3))
        self.fails(1, "not float or double", "compress", "short.nc:S", "-o", "out.fmc", "--rel", "1e-3")

    def test_damaged_files_are_refused(self):
        self.put("bad.nc", self.get("file.nc")[:60])
        self.fails(1, "bad.nc", "compress", "bad.nc:T", "-o", "out.fmc", "--rel", "1e-3")
        self.put("odd.nc", npy_bytes(pack([1.0]), (1,)))
        self.fails(1, "odd.nc", "compress", "odd.nc:T", "-o", "out.fmc", "--rel", "1e-3")


def has_netcdf():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.nc")
        with open(path, "wb") as f:
            f.write(netcdf_bytes("T", (2,), [1.0, 2.0]))
        done = subprocess.run([FMC, "compress", path + ":T", "-o", "-", "--lossless"], capture_output=True)
        return b"without netCDF" not in done.stderr


if __name__ == "__main__":
    if not has_netcdf():
        print("SKIP: fmc was built without libnetcdf")
        sys.exit(77)
    unittest.main()
