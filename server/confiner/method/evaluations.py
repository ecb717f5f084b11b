# SPDX-License-Identifier: GPL-3.0-or-later
"""How often a rule asks each expert: counted by running it once on experts that only count."""

from __future__ import annotations

from functools import lru_cache

import torch

from .denoiser import PromptEmbeds
from .rules import PromptedExpert, RefineStep, Role, Rule
from .schedule import NoiseSchedule, Prediction

SHAPE = (1, 4, 16, 8, 8)
"""A window large enough for a rule that filters over frames or pixels."""


class _Counter:
    """An expert that predicts nothing but zeros, and counts how often it is asked."""

    def __init__(self) -> None:
        self.schedule = NoiseSchedule(torch.linspace(0.999, 0.001, 1000, dtype=torch.float64))
        self.asked = 0

    def predict(self, latents: torch.Tensor, timestep: int, prompt_embeds: PromptEmbeds) -> Prediction:
        self.asked += 1
        return Prediction(torch.zeros_like(latents), torch.zeros_like(latents))


@lru_cache(maxsize=256)
def evaluations(rule: Rule, k: int, steps: int) -> dict[Role, int]:
    """How many predictions of each expert step `k` of `steps` takes."""
    spatial, temporal = _Counter(), _Counter()
    text = PromptEmbeds(torch.zeros(1, 1, 1, 1))
    nothing = torch.zeros(SHAPE)
    step = RefineStep(
        S=PromptedExpert(spatial, text),
        T=PromptedExpert(temporal, text),
        t=100,
        s=100,
        k=k,
        steps=steps,
        hinge_noise="fresh",
        draw=lambda hop: nothing,
    )
    rule.refine(Prediction(nothing, nothing), step)
    return {"spatial": spatial.asked, "temporal": temporal.asked}
