#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Decode fmc streams with the decoder that was written from docs/format.md, not from the library.

  reference_decoder.py STREAM OUT.npy       decode
  reference_decoder.py --check DIR          compare DIR/streams/*.fmc with the hashes of DIR/hashes.txt
"""
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from reference import bits, container  # noqa: E402


def check_stream(path, expected):
    """None, or what is wrong."""
    try:
        found = bits.xxh64(container.decode(path.read_bytes()).tobytes())
    except (bits.Corrupt, bits.Unsupported, container.NotFmc) as e:
        return f"{type(e).__name__}: {e}"
    return None if found == expected else "other samples"


def check(directory, names):
    passed, failed, skipped = 0, 0, 0
    for line in (directory / "hashes.txt").read_text().splitlines():
        name, expected = line.split()[:2]
        if names and name not in names:
            continue
        begin = time.monotonic()
        try:
            problem = check_stream(directory / "streams" / f"{name}.fmc", int(expected, 16))
        except bits.Skip as e:
            skipped += 1
            print(f"skip {name}: {e}")
            continue
        passed, failed = passed + (problem is None), failed + (problem is not None)
        print(f"{'ok  ' if problem is None else 'FAIL'} {name}: {problem or ''} {time.monotonic() - begin:.1f} s",
              flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed > 0


def main(arguments):
    if len(arguments) >= 2 and arguments[0] == "--check":
        return check(pathlib.Path(arguments[1]), arguments[2:])
    if len(arguments) != 2:
        print(__doc__)
        return 2
    np.save(arguments[1], container.decode(pathlib.Path(arguments[0]).read_bytes()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
