# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether bytes are a whole PNG image, and of which size: read from its chunks, without decoding a pixel."""

from __future__ import annotations

import struct
import zlib

from confiner_blender.protocol.errors import InvalidRequest

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = {2: "RGB", 6: "RGBA"}
REMEDY = "capture the structure frames again"


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of an 8-bit RGB or RGBA image.

    Raises:
        InvalidRequest: the bytes are no PNG file, a damaged or truncated one, or one of another kind of pixel.
    """
    if not data.startswith(SIGNATURE):
        raise InvalidRequest(f"structure frame starting with {data[:8]!r}, expected a PNG file", REMEDY)
    header = b""
    position = len(SIGNATURE)
    kind = b""
    while kind != b"IEND":
        kind, content, position = _chunk(data, position)
        header = content if kind == b"IHDR" else header
    if len(header) != 13:
        raise InvalidRequest("structure frame without a PNG header, expected a whole PNG file", REMEDY)
    width, height, depth, colour = struct.unpack("!IIBB", header[:10])
    if depth != 8 or colour not in COLOURS:
        seen = f"{depth} bits a channel and PNG colour type {colour}"
        raise InvalidRequest(f"structure frame with {seen}, expected 8-bit RGB or RGBA", REMEDY)
    return width, height


def _chunk(data: bytes, position: int) -> tuple[bytes, bytes, int]:
    """Kind, content and end of the chunk at `position`."""
    start = position + 8
    if start > len(data):
        raise InvalidRequest(f"structure frame cut off after {len(data)} bytes, expected a whole PNG file", REMEDY)
    length, kind = struct.unpack("!I4s", data[position:start])
    end = start + length + 4
    if end > len(data):
        raise InvalidRequest(f"structure frame cut off after {len(data)} bytes, expected a whole PNG file", REMEDY)
    if zlib.crc32(data[position + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
        raise InvalidRequest(f"structure frame with a damaged {kind!r} part, expected a whole PNG file", REMEDY)
    return kind, data[start : end - 4], end
