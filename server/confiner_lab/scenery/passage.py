# SPDX-License-Identifier: GPL-3.0-or-later
"""The passage from one clip to another, as a prompt that changes within a shot asks for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .clip import WIDE, Clip, random_clip
from .path import Place, View, view_at
from .render import Standing, paint, things_at, to_bytes


@dataclass(frozen=True)
class Passage:
    """From `first` to `second` within `length` frames, from frame `begin` on, which may lie before frame 0.

    Both have one seed, size and start. Places and camera go over gradually, and what both show fades into another.
    """

    first: Clip
    second: Clip
    begin: float
    length: float

    def share(self, index: float) -> float:
        """How much of the second clip a frame shows, 0…1."""
        return float(np.clip((index + 0.5 - self.begin) / self.length, 0, 1))


def render_passage(passage: Passage, num_frames: int = 16) -> NDArray[np.uint8]:
    """Frames [num_frames, height, width, 3]."""
    return np.stack([render_between(passage, index) for index in range(num_frames)])


def render_between(passage: Passage, index: int) -> NDArray[np.uint8]:
    """One frame [height, width, 3]."""
    first, second, share = passage.first, passage.second, passage.share(index)
    view = _view(view_at(first.camera, first.start + index), view_at(second.camera, second.start + index), share)
    old, new = things_at(first, index), things_at(second, index)
    met = [(_mixed(a, b, share)) for a, b in zip(old, new, strict=False)]
    pictures = []
    for clip, things in ((first, old), (second, new)):
        moved = [replace(thing, place=m.place, scale=m.scale) for thing, m in zip(things, met, strict=False)]
        pictures.append(paint(clip, moved + things[len(moved) :], view))
    return to_bytes(pictures[0] + share * (pictures[1] - pictures[0]))


def random_passage(rng: np.random.Generator, *, size: tuple[int, int] = WIDE, num_frames: int = 16) -> Passage:
    """A passage in which one to three of the things that can be said change, some of it within the frames."""
    first, other = random_clip(rng, size=size), random_clip(rng, size=size)
    names = ["things", "ground", "time", "motion", "camera"]
    changed = rng.permutation(names)[: int(rng.integers(1, 4))]
    second = replace(first, **{name: getattr(other, name) for name in changed})
    if not second.things or not first.things:
        second = replace(second, motion="still" if not second.things else second.motion)
    length = float(rng.integers(4, 25))
    return Passage(first, second, float(rng.uniform(2 - length, num_frames - 2)), length)


def _view(a: View, b: View, share: float) -> View:
    return View(a.pan + share * (b.pan - a.pan), a.zoom + share * (b.zoom - a.zoom))


def _mixed(a: Standing, b: Standing, share: float) -> Standing:
    def mix(x: float, y: float) -> float:
        return x + share * (y - x)

    p, q = a.place, b.place
    place = Place(mix(p.x, q.x), mix(p.lift, q.lift), mix(p.z, q.z), mix(p.squash, q.squash))
    return Standing(a.thing, place, mix(a.scale, b.scale))
