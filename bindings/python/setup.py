# SPDX-License-Identifier: Apache-2.0
"""Puts into the wheel what the package needs of the project: the declarations of the public headers, as cffi wants them
(fmc/_cdef.txt), and libfmc itself, if build/ has one. Else the package looks for an installed library."""
import importlib.util
import pathlib
import shutil

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]


def header_module():
    """fmc/_header.py without importing the package, which would need cffi and the library."""
    spec = importlib.util.spec_from_file_location("_header", HERE / "fmc" / "_header.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def built_library():
    """The library in the build folder, None if there is none."""
    for name in ("libfmc.so", "libfmc.dylib", "fmc.dll", "libfmc.dll"):
        if (TREE / "build" / "lib" / name).exists():
            return TREE / "build" / "lib" / name
    return None


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if getattr(self, "editable_mode", False):
            return
        package, library = pathlib.Path(self.build_lib) / "fmc", built_library()
        (package / "_cdef.txt").write_text(header_module().declarations(TREE / "include"), encoding="ascii")
        if library:
            shutil.copyfile(library, package / library.name)


class DistributionOfThisMachine(Distribution):
    def has_ext_modules(self):
        return built_library() is not None


setup(cmdclass={"build_py": BuildWithLibrary}, distclass=DistributionOfThisMachine)
