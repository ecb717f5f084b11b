# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said about a clip, a seed for everything unsaid, a look and a size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

WORLD_VERSION = 2

COLOURS = {
    "red": (0.86, 0.11, 0.10),
    "orange": (0.97, 0.50, 0.06),
    "yellow": (0.98, 0.85, 0.12),
    "green": (0.05, 0.50, 0.22),
    "cyan": (0.08, 0.80, 0.74),
    "blue": (0.12, 0.24, 0.86),
    "purple": (0.50, 0.16, 0.70),
    "pink": (0.98, 0.48, 0.72),
}
SHAPES = ("cube", "sphere", "cone", "cylinder")
SIZES = {"small": 0.6, "medium": 1.0, "big": 1.35}
GROUNDS = ("grass", "sand", "snow", "concrete")
TIMES = ("noon", "dusk", "night")
MOTIONS = ("left", "right", "closer", "away", "bounce", "still")
CAMERAS = ("static", "pan left", "pan right", "zoom in", "zoom out")
LOOKS = ("final", "plain", "grey", "depth")
WIDE, SQUARE = (128, 72), (72, 72)
COUNTS = (0.08, 0.64, 0.28)
"""How often a clip shows nothing, one thing, two things."""
SIZE_ODDS = (0.16, 0.7, 0.14)

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "shape": SHAPES,
    "ground": GROUNDS,
    "time": TIMES,
    "motion": MOTIONS,
    "camera": CAMERAS,
}


@dataclass(frozen=True)
class Thing:
    """One solid. `size` is a word of `SIZES`."""

    colour: str = "red"
    shape: str = "cube"
    size: str = "medium"


@dataclass(frozen=True)
class Spot:
    """Where a thing stands in a clip that no caption describes: from the middle, over the ground, from the camera."""

    across: float
    lift: float
    away: float
    scale: float = 1.0


@dataclass(frozen=True)
class Clip:
    """One shot of the world. Equal clips render to equal frames, at any length.

    Up to two `things` move side by side, the first named on the left. With `spots`, one for each thing, they are
    scattered instead. `look` is "final", or what Blender draws of the same scene: "plain" (things in their
    colours), "grey" or "depth" (near is light). `start` is the moment of frame 0, in frames.
    """

    things: tuple[Thing, ...] = (Thing(),)
    ground: str = "grass"
    time: str = "noon"
    motion: str = "still"
    camera: str = "static"
    seed: int = 0
    look: str = "final"
    width: int = WIDE[0]
    height: int = WIDE[1]
    start: int = 0
    spots: tuple[Spot, ...] = ()

    @property
    def aspect(self) -> float:
        return self.width / self.height


@dataclass(frozen=True)
class Quirks:
    """What a seed decides, constant over a clip. Lengths in half picture heights, angles in radians."""

    x: float
    size: float
    yaw: float
    tint: tuple[float, float, float]
    skyline: float
    horizon: float
    clouds: tuple[float, float]
    brightness: float
    shade: float


def quirks(seed: int) -> Quirks:
    """Everything about a clip that no word names."""
    rng = np.random.Generator(np.random.Philox(seed))

    def around(centre: float, spread: float) -> float:
        return float(centre + spread * rng.uniform(-1, 1))

    return Quirks(
        x=around(0, 0.06),
        size=around(1, 0.06),
        yaw=around(0.55, 0.2),
        tint=(around(1, 0.04), around(1, 0.04), around(1, 0.04)),
        skyline=around(0, 0.05),
        horizon=around(0.22, 0.015),
        clouds=(around(0, 0.12), around(0, 0.12)),
        brightness=around(1, 0.04),
        shade=around(0, 1),
    )


def random_thing(rng: np.random.Generator) -> Thing:
    return Thing(_pick(rng, tuple(COLOURS)), _pick(rng, SHAPES), str(rng.choice(list(SIZES), p=SIZE_ODDS)))


def random_clip(
    rng: np.random.Generator,
    *,
    look: str = "final",
    size: tuple[int, int] = WIDE,
    counts: Sequence[float] = COUNTS,
    start: int | None = None,
) -> Clip:
    """A clip with nothing, one thing or two in it, all else drawn uniformly; it starts at moment 0 half of the time."""
    count = int(rng.choice(len(counts), p=counts))
    things = tuple(random_thing(rng) for _ in range(count))
    if count == 2:
        twin = rng.random() < 0.35
        second = things[0] if twin else Thing(things[1].colour, things[1].shape, things[0].size)
        things = (things[0], second)
    if start is None:
        start = 0 if rng.random() < 0.5 else int(rng.integers(32))
    return Clip(
        things,
        ground=_pick(rng, GROUNDS),
        time=_pick(rng, TIMES),
        motion=_pick(rng, MOTIONS) if count else "still",
        camera=_pick(rng, CAMERAS),
        seed=int(rng.integers(1 << 31)),
        look=look,
        width=size[0],
        height=size[1],
        start=start,
    )


def scattered_clip(rng: np.random.Generator, *, look: str = "final", size: tuple[int, int] = WIDE) -> Clip:
    """A single moment with one to six things of one or two kinds at places that no word names, many of them small."""
    count = int(rng.integers(1, 7))
    kinds = [random_thing(rng) for _ in range(2)]
    aspect = size[0] / size[1]
    spots = []
    for _ in range(count):
        away = 1 / rng.uniform(1 / 12, 1 / 4.2)
        lift = float(rng.uniform(0, 0.9)) if rng.random() < 0.3 else 0.0
        spots.append(Spot(float(rng.uniform(-1, 1) * aspect), lift, float(away), float(rng.uniform(0.5, 1.2))))
    return Clip(
        tuple(kinds[int(rng.integers(2))] for _ in range(count)),
        ground=_pick(rng, GROUNDS),
        time=_pick(rng, TIMES),
        camera=_pick(rng, CAMERAS),
        seed=int(rng.integers(1 << 31)),
        look=look,
        width=size[0],
        height=size[1],
        start=int(rng.integers(32)),
        spots=tuple(spots),
    )


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]
