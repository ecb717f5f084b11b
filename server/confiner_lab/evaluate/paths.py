# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths that grey boxes take through a Blender scene when we ask whether a result follows its structure frames.

A point is (x across, y into the picture, z up) in Blender's units, of the middle of the box's underside; the camera
stands at x = y = 0 and looks along y. Every path keeps the box in the picture, and moves it by more than its own size.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin

Point = tuple[float, float, float]

NEAR, MIDDLE, FAR = 3.7, 4.4, 6.8
SIDE = 1.3


def _hop(phase: float, hops: int) -> float:
    beat = (phase * hops) % 1
    return 3.2 * beat * (1 - beat)


def _between(start: float, end: float, phase: float) -> float:
    return start + (end - start) * phase


PATHS: dict[str, Callable[[float], Point]] = {
    "to the right": lambda p: (_between(-SIDE, SIDE, p), MIDDLE, 0),
    "to the left": lambda p: (_between(SIDE, -SIDE, p), MIDDLE, 0),
    "hopping right": lambda p: (_between(-SIDE, SIDE, p), MIDDLE, _hop(p, 2)),
    "one leap left": lambda p: (_between(SIDE, -SIDE, p), MIDDLE, 1.6 * _hop(p, 1)),
    "there and back": lambda p: (-SIDE * cos(2 * pi * p), MIDDLE, 0),
    "far left to near right": lambda p: (_between(-2.4, 0.9, p), _between(FAR, NEAR, p), 0),
    "near left to far right": lambda p: (_between(-0.9, 2.4, p), _between(NEAR, FAR, p), 0),
    "around": lambda p: (SIDE * sin(2 * pi * p), 5.1 + 1.3 * cos(2 * pi * p), 0),
}
"""Name to path; a path takes the phase of a clip, 0 at its first frame and 1 at its last."""


def points(name: str, num_frames: int) -> list[Point]:
    """The box's place in each frame."""
    return [PATHS[name](index / max(num_frames - 1, 1)) for index in range(num_frames)]
