# SPDX-License-Identifier: GPL-3.0-or-later
"""Images as binary messages of bounded size: a fixed header, then a piece of a PNG file.

    magic "CFN1" · kind · job id (16 bytes) · event number · frame index · total bytes · offset · payload

Integers are unsigned and big-endian. Pieces of one image arrive in order; images may not interleave.
"""

from __future__ import annotations

import enum
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import MalformedMessage

MAGIC = b"CFN1"
HEADER = struct.Struct("!4sB16sIIII")
MAX_PIECE = 256 * 1024
MAX_IMAGE = 64 * 1024 * 1024
MAX_MESSAGE = 1024 * 1024
"""Bytes that either side accepts in one WebSocket message, text or binary."""


class ImageKind(enum.IntEnum):
    STRUCTURE = 1
    FRAME = 2
    PREVIEW = 3


@dataclass(frozen=True)
class Image:
    """A whole encoded image and the event (0 for structure frames) that it belongs to."""

    kind: ImageKind
    job_id: str
    number: int
    frame: int
    data: bytes


def pieces(image: Image) -> Iterator[bytes]:
    """The binary messages that carry `image`, in order."""
    job = uuid.UUID(image.job_id).bytes
    total = len(image.data)
    for offset in range(0, total, MAX_PIECE):
        header = HEADER.pack(MAGIC, image.kind, job, image.number, image.frame, total, offset)
        yield header + image.data[offset : offset + MAX_PIECE]


class ImageAssembler:
    """Puts the pieces of one connection together again; refuses what is truncated, oversized or out of order."""

    def __init__(self) -> None:
        self._key: tuple[int, bytes, int, int, int] | None = None
        self._data = bytearray()

    def receive(self, message: bytes) -> Image | None:
        """Take one binary message; return the image that it completes, if it does.

        Raises:
            MalformedMessage: the header or the order of pieces is wrong. The assembler is empty afterwards.
        """
        try:
            return self._receive(message)
        except MalformedMessage:
            self._key = None
            self._data.clear()
            raise

    def _receive(self, message: bytes) -> Image | None:
        if len(message) < HEADER.size:
            raise MalformedMessage(
                f"a binary message of {len(message)} bytes, shorter than its {HEADER.size}-byte header"
            )
        magic, kind, job, number, frame, total, offset = HEADER.unpack_from(message)
        payload = message[HEADER.size :]
        if magic != MAGIC:
            raise MalformedMessage(f"a binary message starting with {magic!r}, expected {MAGIC!r}")
        if kind not in list(ImageKind):
            raise MalformedMessage(f"an image of kind {kind}, expected one of {[int(k) for k in ImageKind]}")
        if not 0 < total <= MAX_IMAGE:
            raise MalformedMessage(f"an image of {total} bytes, expected 1 to {MAX_IMAGE}")
        key = (kind, job, number, frame, total)
        expected = len(self._data) if self._key is not None else 0
        if offset != expected or (self._key is not None and key != self._key):
            raise MalformedMessage(
                f"a piece at byte {offset} of frame {frame}, expected byte {expected} of the image under way"
            )
        if not payload or offset + len(payload) > total:
            raise MalformedMessage(f"{len(payload)} bytes at {offset} of an image of {total} bytes")
        self._key = key
        self._data += payload
        if len(self._data) < total:
            return None
        image = Image(ImageKind(kind), str(uuid.UUID(bytes=job)), number, frame, bytes(self._data))
        self._key = None
        self._data.clear()
        return image
