# SPDX-License-Identifier: GPL-3.0-or-later
"""What a PNG says beside its picture is left behind."""

import io

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from confiner_blender.storyboard.png import bare

PIXELS = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)


def written() -> bytes:
    said = PngInfo()
    said.add_text("File", "/home/somebody/secret.blend")
    said.add_itxt("Camera", "Kamera")
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=said, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0", dpi=(72, 72))
    return file.getvalue()


def test_texts_and_exif_are_gone_and_the_picture_is_the_same() -> None:
    data = bare(written())
    picture = Image.open(io.BytesIO(data))
    assert np.array_equal(np.asarray(picture), PIXELS)
    assert not picture.info
    assert b"secret" not in data
    assert b"eXIf" not in data


@pytest.mark.parametrize("damage", [lambda data: data[:-20], lambda data: b"GIF89a" + data, lambda data: data[:8]])
def test_what_is_no_whole_png_is_refused(damage: object) -> None:
    with pytest.raises(ValueError, match="PNG"):
        bare(damage(written()))  # type: ignore[operator]
