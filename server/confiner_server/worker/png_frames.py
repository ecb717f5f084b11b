# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames between PNG files and arrays (uint8 `[height, width, 3]`, sRGB). The same pixels give the same bytes."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]


def encode_png(picture: Picture) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, format="PNG")
    return file.getvalue()


def read_picture(path: Path) -> Picture:
    """The file's pixels; what is transparent is shown as its colour."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))
