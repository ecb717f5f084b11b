# SPDX-License-Identifier: GPL-3.0-or-later
"""In which frames of a real clip enough of the object is in the picture to be named."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..world import Clip, screen_box
from .network import CLIP_FRAMES

ENOUGH = 0.5


def visible_frames(clip: Clip) -> NDArray[np.bool_]:
    """Which of the clip's first 16 frames show at least half of the object."""
    return np.array([visible_part(clip, index) >= ENOUGH for index in range(CLIP_FRAMES)])


def visible_part(clip: Clip, index: int) -> float:
    """How much of the object's box lies in the picture."""
    left, bottom, right, top = screen_box(clip, index)
    across = max(0.0, min(right, clip.aspect) - max(left, -clip.aspect)) / (right - left)
    return across * max(0.0, min(top, 1.0) - max(bottom, -1.0)) / (top - bottom)
