# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a long clip stays what it is: drift of what its prompt asks for, repetition, and what changes unasked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..judge.network import CLIP_FRAMES, FRAME_ATTRIBUTES, Judge
from ..judge.sight import ENOUGH, visible_part
from ..judge.verdict import judge_clip
from ..world import ATTRIBUTES, PERIOD, Clip
from .coarse import Floats

FAINT = 1e-3
"""The least probability that counts: a judge that is sure of something wrong may be surer or less sure of it."""


@dataclass(frozen=True)
class Score:
    """How sure the judge is of what the prompt says: its mean probability of the prompted values, and mean log₂."""

    probability: float
    log: float

    def __sub__(self, other: Score) -> Score:
        return Score(self.probability - other.probability, self.log - other.log)


def score(judge: Judge, frames: NDArray[np.uint8], meant: Clip, start: int) -> Score:
    """The score of 16 frames [16, height, width, 3] from frame `start` of a clip that should be `meant`.

    Colour and shape count in the frames in which the real clip shows the object.
    """
    verdict = judge_clip(judge, frames, (meant.start + start) % PERIOD)
    seen = np.array([visible_part(meant, start + index) >= ENOUGH for index in range(CLIP_FRAMES)])
    probabilities = []
    for name, values in ATTRIBUTES.items():
        right = verdict.probabilities[name][..., values.index(getattr(meant, name))]
        if name not in FRAME_ATTRIBUTES:
            probabilities.append(float(right))
        elif name not in ("colour", "shape"):
            probabilities.append(float(right.mean()))
        elif seen.any():
            probabilities.append(float(right[seen].mean()))
    return Score(float(np.mean(probabilities)), float(np.mean(np.log2(np.maximum(probabilities, FAINT)))))


def repetition(pictures: Floats, span: int) -> float:
    """Mean correlation of segments that are not neighbours [frames, height, width, 3], each against the clip's mean.

    1 is a clip that repeats itself every `span` frames; a clip of fewer than three segments repeats nothing.
    """
    count = len(pictures) // span
    apart = pictures[: count * span] - pictures.mean(0)
    segments = apart.reshape(count, -1).astype(np.float64)
    norms = np.maximum(np.linalg.norm(segments, axis=1), np.finfo(np.float32).tiny)
    alike = (segments @ segments.T) / np.outer(norms, norms)
    pairs = np.triu_indices(count, 2)
    return float(alike[pairs].mean()) if len(pairs[0]) else 0.0


def wander(pictures: Floats) -> float:
    """Mean difference, in hundredths of full colour, of frames that the world shows alike: it comes round in a period.

    0 is a clip in which everything comes back as it was.
    """
    return 100 * float(np.abs(pictures[PERIOD:] - pictures[:-PERIOD]).mean()) if len(pictures) > PERIOD else 0.0
