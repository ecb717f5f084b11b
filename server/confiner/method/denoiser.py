# SPDX-License-Identifier: GPL-3.0-or-later
"""What the method asks of an expert. Whatever has these two members can stand in a chain, a closed form included."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch

from .schedule import NoiseSchedule, Prediction


@dataclass(frozen=True)
class PromptEmbeds:
    """Text embeddings for some frames, `[batch or 1, frames or 1, tokens, width]`.

    `negative` has the same shape, and is None where the expert is not guided.
    """

    prompt: torch.Tensor
    negative: torch.Tensor | None = None


class Denoiser(Protocol):
    """An expert: its noise schedule, and what it predicts."""

    @property
    def schedule(self) -> NoiseSchedule: ...

    def predict(self, latents: torch.Tensor, timestep: int, prompt_embeds: PromptEmbeds) -> Prediction:
        """The clean latents and the noise that `latents` consist of at `timestep`.

        `latents` are float32 `[batch, channels, frames, height, width]`, noised on the expert's own schedule; so are
        both halves of the prediction. Guidance, if there is any, is inside.
        """
        ...
