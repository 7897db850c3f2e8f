# SPDX-License-Identifier: Apache-2.0
"""zfpy behind a pipe.

In: "<cdcB4QQ" verb, tolerance (< 0: reversible), type, rank, extents, size, then that many bytes.
Out: "<Q" size and the bytes.
"""
import struct
import sys

import numpy as np
import zfpy

HEAD = struct.Struct("<cdcB4QQ")


def main():
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(HEAD.size)
        if len(head) < HEAD.size:
            return
        verb, tolerance, kind, rank, *extents, size = HEAD.unpack(head)
        payload = source.read(size)
        if verb == b"e":
            a = np.frombuffer(payload, kind.decode()).reshape(extents[:rank])
            answer = zfpy.compress_numpy(a) if tolerance < 0 else zfpy.compress_numpy(a, tolerance=tolerance)
        else:
            answer = zfpy.decompress_numpy(payload).tobytes()
        target.write(struct.pack("<Q", len(answer)) + answer)
        target.flush()


if __name__ == "__main__":
    main()
