# SPDX-License-Identifier: GPL-3.0-or-later
"""Can the judge be believed? On real clips that it has not seen: as they are, after the VAE, and softened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from confiner.experts.latent_space import LatentSpace
from numpy.typing import NDArray

from ..judge.network import CLIP_FRAMES, FRAME_ATTRIBUTES, Judge
from ..judge.training import WIDTHS, soften, to_tensor
from ..judge.verdict import Verdict, judge_clip
from ..world import ATTRIBUTES, Clip, random_clip, render_clip
from .interval import Estimate, mean, rate, to_json

JUDGE_STREAM = 0x6A756467
"""Keeps these clips apart from those of the judge's training."""

Change = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
Verdicts = dict[str, list[Verdict]]


def changes(space: LatentSpace) -> dict[str, Change]:
    """What is done to a real clip [frames, height, width, 3] before it is judged."""
    return {
        "as they are": lambda frames: frames,
        "after the VAE": lambda frames: space.decode(space.encode(frames)),
        "softened": _soft,
    }


def draw_clips(count: int, seed: int) -> list[Clip]:
    """Clips of every kind, at any moment; every fourth is wide."""
    rng = np.random.default_rng([JUDGE_STREAM, seed])
    return [random_clip(rng, width=WIDTHS[number % 4 == 3]) for number in range(count)]


def evaluate(judge: Judge, clips: list[Clip], by: dict[str, Change]) -> Verdicts:
    """The verdict on every clip under every change."""
    verdicts: Verdicts = {name: [] for name in by}
    for clip in clips:
        real = render_clip(clip, CLIP_FRAMES)
        for name, change in by.items():
            verdicts[name].append(judge_clip(judge, change(real), clip.start))
    return verdicts


def accuracy(verdicts: list[Verdict], clips: list[Clip]) -> dict[str, Estimate]:
    """The part of clips that is named rightly, by attribute."""
    return {name: rate([_right(v, c, name) for v, c in zip(verdicts, clips, strict=True)]) for name in ATTRIBUTES}


def overconfidence(verdicts: list[Verdict], clips: list[Clip], seed: int) -> dict[str, Estimate]:
    """How much surer the judge is than it is right, by attribute: 0 is a calibrated judge."""
    return {
        name: mean([_sureness(v, name) - _right(v, c, name) for v, c in zip(verdicts, clips, strict=True)], seed)
        for name in ATTRIBUTES
    }


def _right(verdict: Verdict, clip: Clip, attribute: str) -> bool:
    return verdict.name(attribute) == str(getattr(clip, attribute))


def _sureness(verdict: Verdict, attribute: str) -> float:
    seen = verdict.probabilities[attribute]
    return float((seen.mean(0) if attribute in FRAME_ATTRIBUTES else seen).max())


def _soft(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    blurred = soften(to_tensor([frames]))[0].permute(0, 2, 3, 1)
    return (blurred.numpy() * 255).round().astype(np.uint8)


def figures_json(verdicts: Verdicts, clips: list[Clip], seed: int) -> dict[str, Any]:
    """Accuracy and overconfidence under every change, as JSON values."""
    return {
        name: {
            "accuracy": to_json(accuracy(found, clips)),
            "overconfidence": to_json(overconfidence(found, clips, seed)),
        }
        for name, found in verdicts.items()
    }
