# SPDX-License-Identifier: GPL-3.0-or-later
"""An expert whose data is a Gaussian, so that its prediction is known in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from confiner.method.denoiser import PromptEmbeds
from confiner.method.schedule import NoiseSchedule, Prediction


@dataclass
class GaussianExpert:
    """Knows data x0 ~ N(mean, spread²), independent in every element: x̂ is the posterior mean of x0 given x.

    With x = √ā·x0 + √(1−ā)·ε:  x̂ = mean + √ā·spread² / (ā·spread² + 1 − ā) · (x − √ā·mean).
    """

    schedule: NoiseSchedule
    mean: float = 0.0
    spread: float = 1.0
    asked: list[int] = field(default_factory=list)

    def predict(self, latents: torch.Tensor, timestep: int, prompt_embeds: PromptEmbeds) -> Prediction:
        self.asked.append(timestep)
        alpha_bar = self.schedule.alpha_bar(timestep)
        signal = math.sqrt(alpha_bar)
        gain = signal * self.spread**2 / (alpha_bar * self.spread**2 + 1 - alpha_bar)
        return self.schedule.prediction_from_x0(latents, self.mean + gain * (latents - signal * self.mean), timestep)


NO_TEXT = PromptEmbeds(torch.zeros(1, 1, 1, 1))
