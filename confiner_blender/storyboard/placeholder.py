# SPDX-License-Identifier: GPL-3.0-or-later
"""The slate: a quiet dark card that a strip shows until its take has a first frame."""

from __future__ import annotations

import struct
import zlib

TONE = 46
STRIPE = 56


def slate_png(width: int, height: int) -> bytes:
    """An RGB PNG of that size, with the faint diagonal stripes of something that is still to come."""
    pitch = max(min(width, height) // 4, 2)
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes([STRIPE if (x + y) // pitch % 2 else TONE]) * 3
    header = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + _chunk(b"IDAT", zlib.compress(bytes(rows)))
        + _chunk(b"IEND", b"")
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack("!I", len(data)) + kind + data + struct.pack("!I", zlib.crc32(kind + data))
