# SPDX-License-Identifier: Apache-2.0
"""Puts the declarations of the public headers, as cffi wants them, into the wheel (fmc/_cdef.txt)."""
import importlib.util
import pathlib

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
INCLUDE = HERE.parents[1] / "include"


def header_module():
    """fmc/_header.py without importing the package, which would need cffi and the library."""
    spec = importlib.util.spec_from_file_location("_header", HERE / "fmc" / "_header.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BuildWithDeclarations(build_py):
    def run(self):
        super().run()
        if not getattr(self, "editable_mode", False):
            target = pathlib.Path(self.build_lib) / "fmc" / "_cdef.txt"
            target.write_text(header_module().declarations(INCLUDE), encoding="ascii")


setup(cmdclass={"build_py": BuildWithDeclarations})
