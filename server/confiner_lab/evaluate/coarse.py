# SPDX-License-Identifier: GPL-3.0-or-later
"""The coarse picture: what a clip looks like without grain. A long clip's is kept whole, at 1/16 of its pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .likeness import COARSE

Floats = NDArray[np.float32]


def coarse(frames: NDArray[np.uint8]) -> Floats:
    """Mean colours in 0…1 of the squares of frames [frames, height, width, 3]: [frames, height / 4, width / 4, 3]."""
    sums = np.zeros((len(frames), frames.shape[1] // COARSE, frames.shape[2] // COARSE, 3), np.float32)
    for row in range(COARSE):
        for column in range(COARSE):
            sums += frames[:, row::COARSE, column::COARSE]
    sums /= 255 * COARSE * COARSE
    return sums


def changes(pictures: Floats) -> NDArray[np.float64]:
    """Mean square of the change into each frame but the first: [frames − 1], entry t−1 is the change from t−1 to t."""
    found: NDArray[np.float64] = np.square(np.diff(pictures, axis=0), dtype=np.float64).mean((1, 2, 3))
    return found


def motion(pictures: Floats) -> float:
    """Mean size of the first difference over time: how much happens."""
    return float(np.abs(np.diff(pictures, axis=0)).mean())


def unrest(pictures: Floats) -> float:
    """Mean size of the second difference over time: flicker, and whatever else does not go on as it began."""
    return float(np.abs(np.diff(pictures, n=2, axis=0)).mean())
