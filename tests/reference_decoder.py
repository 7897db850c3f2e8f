#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""
Decode fmc streams with the decoder that was written from docs/format.md, not from the library.

  reference_decoder.py STREAM OUT.npy       decode
  reference_decoder.py --check DIR          compare DIR/streams/*.fmc with the hashes of DIR/hashes.txt
                                            and DIR/errors/*.fmc with DIR/errors/statuses.txt
"""
import pathlib
import sys
import time

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from reference import bits, container  # noqa: E402


def hashes(data):
    """Of the whole, of a box and of the preview at half resolution, as in hashes.txt."""
    x = container.decode(data)
    box = x[tuple(slice(n // 3, n - n // 3) for n in x.shape)]
    return [bits.xxh64(np.ascontiguousarray(v).tobytes()) for v in (x, box, container.decode(data, 1))]


def check_stream(path, expected):
    """None, or what is wrong."""
    try:
        found = hashes(path.read_bytes())
    except (bits.Corrupt, bits.Unsupported, container.NotFmc, ArithmeticError, LookupError, ValueError) as e:
        return f"{type(e).__name__}: {e}"
    wrong = [name for name, a, b in zip(("samples", "box", "preview"), found, expected) if a != b]
    return "other " + ", ".join(wrong) if wrong else None


def status_of(data):
    """As in include/fmc/status.h."""
    try:
        container.decode(data)
    except container.NotFmc:
        return 4
    except bits.Unsupported:
        return 5
    except bits.Truncated:
        return 6
    except bits.Corrupt:
        return 7
    return 0


def check_errors(directory):
    """What is wrong with the statuses of broken streams."""
    out = []
    for line in (directory / "statuses.txt").read_text().splitlines():
        name, expected = line.split()[:2]
        found = status_of((directory / f"{name}.fmc").read_bytes())
        if found != int(expected):
            out.append(f"{name}: status {found}, not {expected}")
    return out


def check(directory, names):
    passed, failed, skipped = 0, 0, 0
    for line in (directory / "hashes.txt").read_text().splitlines():
        name, *expected = line.split()[:4]
        if names and name not in names:
            continue
        begin = time.monotonic()
        try:
            problem = check_stream(directory / "streams" / f"{name}.fmc", [int(v, 16) for v in expected])
        except bits.Skip as e:
            skipped += 1
            print(f"skip {name}: {e}")
            continue
        passed, failed = passed + (problem is None), failed + (problem is not None)
        print(f"{'ok  ' if problem is None else 'FAIL'} {name}: {problem or ''} {time.monotonic() - begin:.1f} s",
              flush=True)
    bad = check_errors(directory / "errors") if not names else []
    for problem in bad:
        print(f"FAIL errors/{problem}")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return failed + len(bad) > 0


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
