# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the object is and where the camera looks, as functions of a word and a moment.

A moment is a frame's number at 8 frames a second. Everything comes round after `PERIOD` moments, so a path is
defined at any length: a mover crosses, leaves, and comes in again on the other side; who comes closer turns back
after two seconds; a camera eases there and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi

FPS = 8
PERIOD = 32
BOUNCE = 8

CROSSING = 1.45
NEAR, FAR = 3.3, 7.0
MIDDLE = 4.0
LEAP = 1.0
PAN = 0.32
ZOOM = 1.4


@dataclass(frozen=True)
class Place:
    """The object's base: `x` across, `lift` over the ground, `z` from the camera; `squash` scales its height."""

    x: float
    lift: float
    z: float
    squash: float = 1.0


@dataclass(frozen=True)
class View:
    """The camera as a map of the picture plane: it looks at `pan` (half picture heights), enlarged by `zoom`."""

    pan: float
    zoom: float


def ease(moment: float) -> float:
    """0 at moment 0, 1 half a period later, and back."""
    return 0.5 - 0.5 * cos(2 * pi * moment / PERIOD)


def place_at(motion: str, moment: float, aspect: float = 1.0) -> Place:
    """The object at a moment. A crossing is as wide as the picture, so `aspect` scales it."""
    if motion in ("left", "right"):
        phase = ((moment + 0.5 * PERIOD - 7.5) % PERIOD) / PERIOD
        across = (2 * phase - 1) * CROSSING * aspect * MIDDLE / 2
        return Place(across if motion == "right" else -across, 0.0, MIDDLE)
    if motion in ("closer", "away"):
        near = ease(moment) if motion == "closer" else 1 - ease(moment)
        return Place(0.0, 0.0, 1 / (near / NEAR + (1 - near) / FAR))
    if motion == "bounce":
        beat = (moment % BOUNCE) / BOUNCE
        height = 4 * beat * (1 - beat)
        return Place(0.0, LEAP * height, MIDDLE, 0.86 + 0.2 * min(1.0, 3 * height))
    return Place(0.0, 0.0, MIDDLE)


def view_at(camera: str, moment: float) -> View:
    """The camera at a moment; `pan left` turns it to the left, so what it sees moves to the right."""
    if camera in ("pan left", "pan right"):
        swing = PAN * (2 * ease(moment) - 1)
        return View(swing if camera == "pan right" else -swing, 1.0)
    if camera in ("zoom in", "zoom out"):
        near = ease(moment) if camera == "zoom in" else 1 - ease(moment)
        return View(0.0, ZOOM**near)
    return View(0.0, 1.0)
