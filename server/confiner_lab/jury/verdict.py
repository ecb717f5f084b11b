# SPDX-License-Identifier: GPL-3.0-or-later
"""From what a judge sees to what a person asks of a clip: is all there that should be, right, and always the same?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..scenery import COLOURS, SHAPES, Clip, cover
from .examples import to_tensor, visible_frames
from .seen import ANSWERS, CLIP_FRAMES, PER_FRAME

LOST = 0.25
"""A thing of less than this part of the area that it should have is lost."""
NAMED = 0.5
"""The part of a thing's area, over a clip, that must have its colour or its shape."""


@dataclass(frozen=True)
class Verdict:
    """What one judge says of one clip that was to show `meant`.

    `wrong` names the attributes that are not as meant. Of each thing: `seen` [16, things], whether it should be in
    the picture; `areas` [16, things], its area relative to the meant clip's; `lost` [16, things], seen to be missing
    where it should be; `same` [things], whether colour and shape are one and the same in all frames that show it.
    """

    wrong: tuple[str, ...]
    seen: NDArray[np.bool_]
    areas: NDArray[np.float64]
    lost: NDArray[np.bool_]
    same: NDArray[np.bool_]


@torch.no_grad()
def judge_clip(judge: nn.Module, frames: NDArray[np.uint8], meant: Clip) -> Verdict:
    """The verdict on 16 frames [16, height, width, 3] that were to show `meant`, nothing or up to two things.

    Raises:
        ValueError: another number of frames.
    """
    if len(frames) != CLIP_FRAMES:
        raise ValueError(f"{len(frames)} frames; expected {CLIP_FRAMES}, the length the judges were trained on")
    seen, _ = judge(to_tensor([frames]), torch.tensor([meant.start]))
    answers = {name: values[0].softmax(-1).numpy() for name, values in seen.logits.items()}
    return weigh(answers, seen.areas[0].double().numpy(), meant)


def weigh(answers: dict[str, NDArray[np.float32]], areas: NDArray[np.float64], meant: Clip) -> Verdict:
    """From probabilities and areas [16, colours, shapes]."""
    visible = visible_frames(meant)
    wrong = [name for name in ("ground", "time", "camera") if _named(answers, name) != getattr(meant, name)]
    if meant.things and _named(answers, "motion") != meant.motion:
        wrong.append("motion")
    if not _count_right(answers["count"], visible):
        wrong.append("count")
    expected = np.stack([_expected(meant, index) for index in range(CLIP_FRAMES)])
    found = np.zeros((CLIP_FRAMES, len(meant.things)))
    same = np.ones(len(meant.things), bool)
    for number, thing in enumerate(meant.things):
        colour, shape = list(COLOURS).index(thing.colour), SHAPES.index(thing.shape)
        frames = visible[:, number]
        found[:, number] = areas[:, colour].sum(1) / np.maximum(expected[:, colour].sum(1), 1e-4)
        same[number] = bool((_alike(areas, expected, colour, shape)[frames] > NAMED).all())
        wrong += _misnamed(areas[frames].sum(0), expected[frames].sum(0), colour, shape)
    return Verdict(tuple(dict.fromkeys(wrong)), visible, found, visible & (found < LOST), same)


def _named(answers: dict[str, NDArray[np.float32]], name: str) -> str:
    values = answers[name].mean(0) if name in PER_FRAME else answers[name]
    return ANSWERS[name][int(values.argmax())]


def _count_right(counts: NDArray[np.float32], visible: NDArray[np.bool_]) -> bool:
    """Whether most frames that show all things whole show as many as were meant."""
    whole = visible.all(1)
    if not whole.any():
        return True
    return bool((counts[whole].argmax(1) == visible.shape[1]).mean() > 0.5)


def _expected(meant: Clip, index: int) -> NDArray[np.float64]:
    """The share of the picture that things of each colour and shape should fill [colours, shapes]."""
    areas = np.zeros((len(COLOURS), len(SHAPES)))
    for thing, mask in zip(meant.things, cover(meant, index), strict=True):
        areas[list(COLOURS).index(thing.colour), SHAPES.index(thing.shape)] += mask.mean()
    return areas


def _alike(areas: NDArray[np.float64], expected: NDArray[np.float64], colour: int, shape: int) -> NDArray[np.float64]:
    """Per frame: how much of the colour's area has the shape, and how much of all area has a colour that was meant.

    Both relative to what was meant, so that two things of one colour may differ in shape.
    """
    meant = expected[:, colour, shape] / np.maximum(expected[:, colour].sum(1), 1e-6)
    shaped = areas[:, colour, shape] / np.maximum(areas[:, colour].sum(1), 1e-6) / np.maximum(meant, 1e-6)
    known = expected.sum((0, 2)) > 0
    coloured = areas[:, known].sum((1, 2)) / np.maximum(areas.sum((1, 2)), 1e-6)
    return np.minimum(shaped, coloured)


def _misnamed(areas: NDArray[np.float64], expected: NDArray[np.float64], colour: int, shape: int) -> list[str]:
    """Which of colour and shape a thing does not have, by areas [colours, shapes] over the frames that show it."""
    found, meant = (values / max(values.sum(), 1e-9) for values in (areas, expected))
    wrong = []
    if found[colour].sum() < NAMED * meant[colour].sum():
        wrong.append("colour")
    if found[:, shape].sum() < NAMED * meant[:, shape].sum():
        wrong.append("shape")
    if not wrong and found[colour, shape] < NAMED * meant[colour, shape]:
        wrong.append("shape")
    return wrong
