# SPDX-License-Identifier: GPL-3.0-or-later
"""What can be said about a clip: six attributes, a seed for everything unsaid, a look and a size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WORLD_VERSION = 1

COLOURS = {
    "red": (0.86, 0.13, 0.12),
    "orange": (0.97, 0.50, 0.06),
    "yellow": (0.98, 0.85, 0.12),
    "green": (0.05, 0.50, 0.22),
    "cyan": (0.08, 0.80, 0.74),
    "blue": (0.12, 0.24, 0.86),
    "purple": (0.50, 0.16, 0.70),
    "pink": (0.98, 0.48, 0.72),
}
SHAPES = ("cube", "sphere", "cone", "cylinder")
GROUNDS = ("grass", "sand", "snow", "concrete")
TIMES = ("noon", "dusk", "night")
MOTIONS = ("left", "right", "closer", "away", "bounce", "still")
CAMERAS = ("static", "pan left", "pan right", "zoom in", "zoom out")
LOOKS = ("final", "plain", "grey")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "colour": tuple(COLOURS),
    "shape": SHAPES,
    "ground": GROUNDS,
    "time": TIMES,
    "motion": MOTIONS,
    "camera": CAMERAS,
}


@dataclass(frozen=True)
class Clip:
    """One shot of the world. Equal clips render to equal frames, at any length.

    `look` is "final", or what Blender's Workbench draws of the same scene: "plain" (the object in its colour)
    or "grey". `start` is the moment of frame 0, in frames.
    """

    colour: str = "red"
    shape: str = "cube"
    ground: str = "grass"
    time: str = "noon"
    motion: str = "still"
    camera: str = "static"
    seed: int = 0
    look: str = "final"
    width: int = 64
    height: int = 64
    start: int = 0

    def labels(self) -> dict[str, int]:
        """The index of each attribute's value, in the order of `ATTRIBUTES`."""
        return {name: values.index(getattr(self, name)) for name, values in ATTRIBUTES.items()}

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
        x=around(0, 0.07),
        size=around(1, 0.08),
        yaw=around(0.55, 0.25),
        tint=(around(1, 0.05), around(1, 0.05), around(1, 0.05)),
        skyline=around(0, 0.05),
        horizon=around(0.22, 0.02),
        clouds=(around(0, 0.15), around(0, 0.15)),
        brightness=around(1, 0.06),
        shade=around(0, 1),
    )


def random_clip(rng: np.random.Generator, *, look: str = "final", width: int = 64, height: int = 64) -> Clip:
    """A clip with every attribute drawn uniformly; it starts at moment 0 half of the time."""
    drawn = {name: values[int(rng.integers(len(values)))] for name, values in ATTRIBUTES.items()}
    start = 0 if rng.random() < 0.5 else int(rng.integers(32))
    seed = int(rng.integers(1 << 31))
    return Clip(**drawn, seed=seed, look=look, width=width, height=height, start=start)
