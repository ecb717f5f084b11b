# SPDX-License-Identifier: GPL-3.0-or-later
"""The control stage: the coarse video, in few steps from pure noise.

Each step noises what was predicted to the next timestep and asks the expert again. On trailing timesteps and from
x0 = 0 this is the Euler sampler of AnimateDiff-Lightning, and on a zero-SNR schedule DDIM with η = 0; both end where
nothing is left to noise, in x0 itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch

from .coherence import Space, steer
from .denoiser import Denoiser, PromptEmbeds
from .schedule import Prediction, joined


@dataclass(frozen=True)
class Guidance:
    """How segments are drawn towards each other: γ, in which space, and towards which segment."""

    strength: float
    space: Space
    reference: Literal["previous", "first"]


def pure_noise(noise: torch.Tensor) -> Prediction:
    """Where the control stage begins: noise and nothing else."""
    return Prediction(torch.zeros_like(noise), noise)


def control_step(
    expert: Denoiser,
    before: Prediction,
    timestep: int,
    embeds: PromptEmbeds,
    guidance: Guidance,
    reference: Prediction | None,
) -> tuple[Prediction, Prediction]:
    """One step of the segments in the batch; returns them and the reference for the segments that follow.

    `reference` is what an earlier segment was predicted to be at this same step, None for the first segment. A segment
    needs no more than that of its predecessor, so all of a batch advance in lock-step and equal one after the other.
    """
    x = expert.schedule.add_noise(before, timestep)
    seen = expert.predict(x, timestep, embeds)
    steered = []
    for segment, latents in zip(seen.split(), x.split(1), strict=True):
        if reference is not None and guidance.strength:
            segment = steer(expert.schedule, latents, timestep, segment, reference, guidance.strength, guidance.space)
        if reference is None or guidance.reference == "previous":
            reference = segment
        steered.append(segment)
    assert reference is not None
    return joined(steered, "batch"), reference
