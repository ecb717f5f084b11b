# SPDX-License-Identifier: GPL-3.0-or-later
"""A PNG file's size is read from its chunks, and a damaged file is no PNG file."""

import pytest
from confiner_server.jobs.png_check import png_size

from confiner_blender.protocol.errors import InvalidRequest


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (64, 48), (1920, 1080)])
def test_the_size_of_a_picture(picture, mode, size):
    assert png_size(picture(*size, mode=mode)) == size


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16"])
def test_other_kinds_of_pixels_are_named(picture, mode):
    with pytest.raises(InvalidRequest, match="expected 8-bit RGB or RGBA"):
        png_size(picture(mode=mode))


def test_a_file_that_ends_anywhere_before_its_end_is_refused(picture):
    whole = picture(16, 16)
    for length in range(len(whole)):
        with pytest.raises(InvalidRequest, match=r"expected a (whole )?PNG file"):
            png_size(whole[:length])


def test_a_flipped_bit_anywhere_is_noticed(picture):
    whole = picture(16, 16)
    for position in range(len(whole)):
        with pytest.raises(InvalidRequest):
            png_size(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
