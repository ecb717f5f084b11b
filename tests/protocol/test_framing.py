# SPDX-License-Identifier: GPL-3.0-or-later
"""Images travel in pieces of bounded size, in order, and nothing else is taken for one."""

import dataclasses
import random
import uuid

import pytest

from confiner_blender.protocol.errors import MalformedMessage
from confiner_blender.protocol.framing import (
    HEADER,
    MAX_IMAGE,
    MAX_MESSAGE,
    MAX_PIECE,
    Image,
    ImageAssembler,
    ImageKind,
    pieces,
)

IMAGE = Image(ImageKind.FRAME, str(uuid.UUID(int=5)), number=70_000, frame=599, data=b"picture")


def sized(size: int) -> Image:
    return dataclasses.replace(IMAGE, data=random.Random(size).randbytes(size))


@pytest.mark.parametrize("size", [1, MAX_PIECE - 1, MAX_PIECE, MAX_PIECE + 1, 3 * MAX_PIECE + 7])
def test_an_image_comes_out_as_it_went_in_and_every_piece_fits_a_message(size):
    assembler = ImageAssembler()
    messages = list(pieces(sized(size)))
    assert all(len(message) <= MAX_MESSAGE for message in messages)
    assert [assembler.receive(message) for message in messages] == [None] * (len(messages) - 1) + [sized(size)]


def test_images_follow_one_another():
    assembler = ImageAssembler()
    for kind in ImageKind:
        image = dataclasses.replace(sized(MAX_PIECE + 1), kind=kind)
        assert [assembler.receive(piece) for piece in pieces(image)][-1] == image


def test_another_image_in_the_middle_is_refused_and_whole_ones_are_taken_afterwards():
    assembler = ImageAssembler()
    first, second = pieces(sized(MAX_PIECE + 1))
    assert assembler.receive(first) is None
    with pytest.raises(MalformedMessage, match="expected byte"):
        assembler.receive(next(pieces(IMAGE)))
    with pytest.raises(MalformedMessage, match="expected byte 0"):
        assembler.receive(second)
    assert assembler.receive(next(pieces(IMAGE))) == IMAGE


def header(magic=b"CFN1", kind=2, total=7, offset=0):
    return HEADER.pack(magic, kind, uuid.UUID(int=5).bytes, 1, 0, total, offset)


@pytest.mark.parametrize(
    ("message", "named"),
    [
        (b"", "shorter than its"),
        (header()[:-1], "shorter than its"),
        (header(magic=b"\x89PNG") + b"picture", "expected b'CFN1'"),
        (header(kind=9) + b"picture", "kind 9"),
        (header(total=0) + b"picture", "image of 0 bytes"),
        (header(total=MAX_IMAGE + 1) + b"picture", f"expected 1 to {MAX_IMAGE}"),
        (header(), "0 bytes at 0"),
        (header() + b"picture and more", "of an image of 7 bytes"),
        (header(offset=3) + b"ture", "expected byte 0"),
    ],
)
def test_what_is_no_piece_of_an_image_is_named(message, named):
    with pytest.raises(MalformedMessage) as error:
        ImageAssembler().receive(message)
    assert named in str(error.value)
