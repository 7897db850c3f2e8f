# SPDX-License-Identifier: Apache-2.0
"""From the public C headers to the declarations that cffi's parser takes. The headers stay the only source.

What is handled is what include/fmc/ uses: comments and directives go, integer #defines stay, what only C++ sees and
FMC_API go. `python _header.py INCLUDE_DIR` prints the result.
"""
import pathlib
import re
import sys

HEADERS = ("version.h", "status.h", "array.h", "model.h", "fmc.h")  # each after those it includes


def declarations(include_dir):
    """Declarations of all headers in include_dir/fmc as one string. Raises OSError if one is missing."""
    folder = pathlib.Path(include_dir) / "fmc"
    return "\n".join(_strip((folder / name).read_text(encoding="utf-8")) for name in HEADERS)


def _strip(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    text = re.sub(r"^#\s*ifdef __cplusplus.*?^#\s*endif", "", text, flags=re.S | re.M)
    text = text.replace("\\\n", " ")
    kept = (line for line in text.split("\n") if not line.lstrip().startswith("#") or _is_int_define(line))
    text = re.sub(r"\bFMC_API\b", "", "\n".join(kept))
    return re.sub(r"\n\s*\n+", "\n", text).strip() + "\n"


def _is_int_define(line):
    return re.fullmatch(r"#\s*define\s+\w+\s+(0x[0-9a-fA-F]+|\d+)\s*", line.strip()) is not None


if __name__ == "__main__":
    sys.stdout.write(declarations(sys.argv[1]))
