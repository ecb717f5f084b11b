# SPDX-License-Identifier: GPL-3.0-or-later
"""Clips with known answers, made ugly in the ways of generated ones: things vanish, fade, turn into others, jump."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..scenery import (
    CAMERAS,
    COLOURS,
    GROUNDS,
    MOTIONS,
    SHAPES,
    TIMES,
    Clip,
    Thing,
    boxes,
    cover,
    random_clip,
    render_clip,
)
from .painter import CELL
from .seen import ANSWERS, CLIP_FRAMES, ERRATIC, MAX_THINGS

Number = TypeVar("Number", np.int64, np.uint8)
UNKNOWN = -100
"""No answer is asked for."""
ENOUGH, TRACE = 0.5, 0.05
"""The part of a thing that must be in the picture to be named, and the part up to which it is not there."""
COUNTS = (0.14, 0.56, 0.3)
ALTERED = 0.45
ERRATIC_SHARE = 0.06
SEEN_FOR_MOTION = 8


@dataclass
class Example:
    """One clip and what is to be said of it.

    frames [16, height, width, 3]; cells [16, things, rows, columns] 0…255: how much of each cell a thing fills;
    present [16, things]: 1 there, 0 not, `UNKNOWN`; colour and shape [16, things]; ground, time [16]; motion, camera.
    """

    frames: NDArray[np.uint8]
    cells: NDArray[np.uint8]
    present: NDArray[np.int64]
    colour: NDArray[np.int64]
    shape: NDArray[np.int64]
    ground: int
    time: int
    motion: int
    camera: int
    start: int


def visible_part(clip: Clip, index: int) -> list[float]:
    """How much of each thing's box lies in the picture."""
    parts = []
    for box in boxes(clip, index):
        across = max(0.0, min(box.right, clip.aspect) - max(box.left, -clip.aspect)) / (box.right - box.left)
        parts.append(across * max(0.0, min(box.top, 1.0) - max(box.bottom, -1.0)) / (box.top - box.bottom))
    return parts


def visible_frames(clip: Clip) -> NDArray[np.bool_]:
    """In which of the clip's first 16 frames at least half of each thing is in the picture [16, things]."""
    seen = [visible_part(clip, index) for index in range(CLIP_FRAMES)]
    return np.array(seen).reshape(CLIP_FRAMES, len(clip.things)) >= ENOUGH


def plain(clip: Clip) -> Example:
    """The clip as it is. Things are numbered from left to right."""
    present = np.zeros((CLIP_FRAMES, MAX_THINGS), np.int64)
    cells = np.zeros((CLIP_FRAMES, MAX_THINGS, clip.height // CELL, clip.width // CELL), np.uint8)
    for index in range(CLIP_FRAMES):
        for number, part in enumerate(visible_part(clip, index)):
            present[index, number] = 1 if part >= ENOUGH else 0 if part <= TRACE else UNKNOWN
        for number, mask in enumerate(cover(clip, index)):
            squares = mask.reshape(clip.height // CELL, CELL, clip.width // CELL, CELL)
            cells[index, number] = (squares.mean((1, 3)) * 255).astype(np.uint8)
    named = [*clip.things, *[Thing()] * (MAX_THINGS - len(clip.things))]
    colours = [list(COLOURS).index(thing.colour) for thing in named]
    shapes = [SHAPES.index(thing.shape) for thing in named]
    moves = clip.things and (present[:, 0] == 1).sum() >= SEEN_FOR_MOTION
    return Example(
        frames=render_clip(clip, CLIP_FRAMES),
        cells=cells,
        present=present,
        colour=np.tile(colours, (CLIP_FRAMES, 1)),
        shape=np.tile(shapes, (CLIP_FRAMES, 1)),
        ground=GROUNDS.index(clip.ground),
        time=TIMES.index(clip.time),
        motion=MOTIONS.index(clip.motion) if moves else UNKNOWN,
        camera=CAMERAS.index(clip.camera),
        start=clip.start,
    )


def random_example(rng: np.random.Generator, size: tuple[int, int]) -> Example:
    clip = random_clip(rng, size=size, counts=COUNTS)
    example = plain(clip)
    if clip.things and rng.random() < ALTERED:
        other = _empty(clip) if rng.random() < 0.55 else _other(clip, rng)
        example = _mixed(example, plain(other), _shares(rng))
    if rng.random() < ERRATIC_SHARE:
        example = _jumbled(example, rng)
    return example


def _empty(clip: Clip) -> Clip:
    return replace(clip, things=())


def _other(clip: Clip, rng: np.random.Generator) -> Clip:
    """The same clip with a thing of another colour, another shape, or one thing fewer."""
    things = list(clip.things)
    number, kind = int(rng.integers(len(things))), int(rng.integers(3))
    if kind == 2 and len(things) == MAX_THINGS:
        return replace(clip, things=(things[0],))
    thing = things[number]
    if kind == 0:
        things[number] = replace(thing, colour=str(rng.choice([c for c in COLOURS if c != thing.colour])))
    else:
        things[number] = replace(thing, shape=str(rng.choice([s for s in SHAPES if s != thing.shape])))
    return replace(clip, things=tuple(things))


def _shares(rng: np.random.Generator) -> NDArray[np.float32]:
    """How much of the other clip each frame shows: from a moment on, for a while, in single frames, or fading."""
    kind, time = int(rng.integers(4)), np.arange(CLIP_FRAMES)
    first, length = int(rng.integers(CLIP_FRAMES)), int(rng.integers(1, 9))
    if kind == 0:
        shares = time >= first
    elif kind == 1:
        shares = (time >= first) & (time < first + length)
    elif kind == 2:
        shares = rng.random(CLIP_FRAMES) < 0.2
    else:
        shares = np.clip((time - first + 0.5) / length, 0, 1)
    return np.asarray(shares, np.float32)


def _mixed(one: Example, other: Example, shares: NDArray[np.float32]) -> Example:
    """Frame by frame what is seen more of; where both are seen about equally, nothing is asked about things."""
    mix = shares[:, None, None, None]
    frames = (one.frames + mix * (other.frames.astype(np.float32) - one.frames)).astype(np.uint8)
    later, unclear = shares > 0.5, (shares > 0.3) & (shares < 0.7)

    def choose(a: NDArray[Number], b: NDArray[Number]) -> NDArray[Number]:
        return np.where(later.reshape(-1, *[1] * (a.ndim - 1)), b, a)

    present = choose(one.present, other.present)
    present[unclear] = UNKNOWN
    moving = (present[:, 0] == 1).sum() >= SEEN_FOR_MOTION
    return replace(
        one,
        frames=frames,
        cells=choose(one.cells, other.cells),
        present=present,
        colour=choose(one.colour, other.colour),
        shape=choose(one.shape, other.shape),
        motion=one.motion if moving and len(set(shares.tolist())) >= 1 else UNKNOWN,
    )


def _jumbled(example: Example, rng: np.random.Generator) -> Example:
    """The frames in no order: no motion and no camera, if anything moved at all."""
    order = rng.permutation(CLIP_FRAMES)
    still = MOTIONS.index("still")
    static = example.camera == CAMERAS.index("static")
    motion, camera = example.motion, example.camera
    if motion not in (still, UNKNOWN) and static:
        motion = ANSWERS["motion"].index(ERRATIC)
    elif not static:
        motion, camera = UNKNOWN, ANSWERS["camera"].index(ERRATIC)
    kept = {name: getattr(example, name)[order] for name in ("frames", "cells", "present", "colour", "shape")}
    return replace(example, **kept, motion=motion, camera=camera)


def to_tensor(frames: list[NDArray[np.uint8]]) -> Tensor:
    """Clips [clips, frames, 3, height, width] in 0…1."""
    return torch.from_numpy(np.stack(frames)).permute(0, 1, 4, 2, 3).float() / 255


def roughened(clips: Tensor, generator: torch.Generator) -> Tensor:
    """Blur, grain and a tint of each clip's own, so that a good likeness is judged as what it resembles."""
    count = len(clips)

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    amount = (chance(count) * 1.4 - 0.4).clamp(min=0).view(-1, 1, 1, 1, 1)
    clips = clips + amount * (softened(clips) - clips)
    clips = clips * (0.94 + 0.12 * chance(count, 1, 3, 1, 1))
    grain = 0.05 * (chance(count, 1, 1, 1, 1) - 0.4).clamp(min=0)
    return (clips + grain * torch.randn(clips.shape, generator=generator)).clamp(0, 1)


def softened(clips: Tensor) -> Tensor:
    """A blur over space, 5 pixels wide."""
    kernel = torch.tensor([1.0, 4, 6, 4, 1])
    kernel = (kernel[:, None] * kernel / 256).view(1, 1, 5, 5).repeat(3, 1, 1, 1)
    flat = F.pad(clips.flatten(0, 1), (2, 2, 2, 2), mode="replicate")
    return F.conv2d(flat, kernel, groups=3).view(clips.shape)
