# SPDX-License-Identifier: GPL-3.0-or-later
"""PNG files as the sidecar gets them: the picture, and nothing about the machine and the file it came from."""

from __future__ import annotations

import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def bare(data: bytes) -> bytes:
    """The PNG with its critical chunks alone: no texts, no times, no EXIF. Pixels stay as they are.

    Raises:
        ValueError: `data` is no whole PNG.
    """
    if not data.startswith(SIGNATURE):
        raise ValueError("this is no PNG file")
    kept, at = [SIGNATURE], len(SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from("!I4s", data, at)
        end = at + 12 + length
        if _critical(kind):
            kept.append(data[at:end])
        if kind == b"IEND" and end <= len(data):
            return b"".join(kept)
        at = end
    raise ValueError("this PNG file is cut short")


def _critical(kind: bytes) -> bool:
    """Whether a reader cannot do without chunks of that kind (PNG, 5.4: bit 5 of the first byte)."""
    return not kind[0] & 0x20
