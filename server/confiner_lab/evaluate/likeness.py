# SPDX-License-Identifier: GPL-3.0-or-later
"""Flicker and sharpness of a clip, to be compared with those of a real clip of the same things."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .tracker import LUMINANCE

COARSE = 4
"""Side in pixels of the squares whose mean is looked at for flicker, so that a blurred clip wins nothing."""


def flicker(frames: NDArray[np.uint8]) -> float:
    """Mean size of the second difference over time of the coarse picture of frames [frames, height, width, 3]."""
    luminance = frames @ LUMINANCE / 255
    count, height, width = luminance.shape
    squares = luminance.reshape(count, height // COARSE, COARSE, width // COARSE, COARSE).mean((2, 4))
    return float(np.abs(np.diff(squares, n=2, axis=0)).mean())


def sharpness(frames: NDArray[np.uint8]) -> float:
    """Mean size of the picture's own second differences: what the finest detail adds."""
    luminance = frames @ LUMINANCE / 255
    across, down = np.diff(luminance, n=2, axis=2), np.diff(luminance, n=2, axis=1)
    return float((np.abs(across).mean() + np.abs(down).mean()) / 2)
