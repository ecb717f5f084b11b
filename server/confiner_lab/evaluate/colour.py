# SPDX-License-Identifier: GPL-3.0-or-later
"""Names the colour of a solid whose place is known, by the nearest of the world's own solids measured the same way."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from ..world import COLOURS, GROUNDS, SHAPES, Clip, render_frame, screen_box

Floats = NDArray[np.float64]

PATCH = 0.05
"""Half the side of the square that is looked at, as a part of the picture's height: well inside the smallest solid."""
BRIGHTNESS_WEIGHT = 0.25
"""How much brightness counts beside chromaticity: it tells pink from red, and makes little of the light."""


def name_colour(frames: NDArray[np.uint8], places: Floats) -> str:
    """The colour's name in a clip by day [frames, height, width, 3] with the solid's middle at `places` [frames, 2]."""
    seen = np.median([chroma(frame, place) for frame, place in zip(frames, places, strict=True)], axis=0)
    return min(COLOURS, key=lambda name: float(np.linalg.norm(seen - _reference()[name])))


def chroma(frame: NDArray[np.uint8], place: Floats) -> Floats:
    """Chromaticity and weighted brightness [4] of the square about `place` (x, y in pixels)."""
    reach = max(1, round(PATCH * len(frame)))
    x, y = (int(value) for value in place)
    square = frame[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].reshape(-1, 3) / 255
    if not len(square):
        return np.zeros(4)
    red, green, blue = np.median(square, axis=0)
    total = max(red + green + blue, 1e-6)
    return np.array([red / total, green / total, blue / total, BRIGHTNESS_WEIGHT * total / 3])


@cache
def _reference() -> dict[str, Floats]:
    """Each colour's measurement on the world's solids by day: every shape on every ground."""
    return {
        colour: np.median(
            [
                chroma(render_frame(clip, 0), middle(clip, 0))
                for seed, (shape, ground) in enumerate((shape, ground) for shape in SHAPES for ground in GROUNDS)
                for clip in (Clip(colour=colour, shape=shape, ground=ground, seed=seed),)
            ],
            axis=0,
        )
        for colour in COLOURS
    }


def middle(clip: Clip, index: int) -> Floats:
    """The middle of a world clip's solid in frame `index`, x and y in pixels, of the part that is in the picture."""
    left, bottom, right, top = np.clip(
        screen_box(clip, index), *((-clip.aspect, -1, -clip.aspect, -1), (clip.aspect, 1) * 2)
    )
    return np.array([((left + right) / 2 + clip.aspect), 1 - (bottom + top) / 2]) * clip.height / 2
