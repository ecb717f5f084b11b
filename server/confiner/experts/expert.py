# SPDX-License-Identifier: GPL-3.0-or-later
"""The one convention behind which every expert stands.

`predict(latents, timestep, prompt_embeds) -> Prediction(x0, noise)` with guidance inside. Latents are float32
`[batch, channels, frames, height, width]` whatever the model's own dtype and layout; an adapter only says how its
network is called.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import torch

from ..chains.expert_kinds import EXPERT_KINDS
from ..chains.spec import ExpertSpec
from ..method.denoiser import PromptEmbeds
from ..method.prompt_schedule import CROSSOVER, Stretch
from ..method.schedule import Prediction, build_schedule
from .reach import beginning
from .text_encoder import PromptSchedule, TextEncoder


class Expert(ABC):
    """A diffusion network with its schedule and its text encoder."""

    def __init__(self, spec: ExpertSpec, unet: Any, text: TextEncoder) -> None:
        self.spec = spec
        self.unet = unet
        self.text = text
        self.schedule = build_schedule(**asdict(spec.schedule))

    @property
    def passes(self) -> int:
        """Forward evaluations per prediction: two where the expert is guided."""
        return 2 if self.spec.guided else 1

    def read(
        self,
        prompt: str,
        negative_prompt: str = "",
        *,
        stretches: Sequence[Stretch] = (),
        crossover: int = CROSSOVER,
        moments: bool = True,
    ) -> PromptSchedule:
        """Everything the expert will need to know of the text, encoded once; `moments`: of each of them, if it can."""
        return PromptSchedule(
            prompts=tuple(
                self.text.encode(self._texts(text, moments)) for text in (prompt, *(each.prompt for each in stretches))
            ),
            negative=self.text.encode(self._texts(negative_prompt, moments)) if self.spec.guided else None,
            starts=tuple(each.start for each in stretches),
            crossover=crossover,
            per_frame=EXPERT_KINDS.find(self.spec.kind).text_per_frame,
        )

    def reads(self, prompt: str, *, moments: bool = True) -> str:
        """The beginning of `prompt` that the expert reads, in whole words: there is room for so many tokens.

        Of these the text of a moment takes its own: it stands behind the prompt and is never what is cut.
        """
        plotted = moments and self.spec.moments > 0
        return beginning(
            prompt,
            lambda text: self.text.count(self._at(text, self._longest) if plotted else text) <= self.text.length,
        )

    @cached_property
    def _longest(self) -> int:
        """The moment whose text takes the most tokens."""
        return max(range(self.spec.moments), key=lambda moment: self.text.count(self._at("", moment)))

    def _texts(self, prompt: str, moments: bool) -> list[str]:
        """The prompt as it is read: once, or as the text of every moment."""
        if not (moments and self.spec.moments):
            return [prompt]
        read = self.reads(prompt)
        return [self._at(read, moment) for moment in range(self.spec.moments)]

    def _at(self, prompt: str, moment: int) -> str:
        return self.spec.frame_text.replace("{moment}", str(moment)).replace("{prompt}", prompt).strip()

    def predict(self, latents: torch.Tensor, timestep: int, prompt_embeds: PromptEmbeds) -> Prediction:
        """What `latents` at `timestep` are made of, in float32. Guidance acts on the network's own output."""
        dtype = next(self.unet.parameters()).dtype
        inputs = latents.to(dtype)
        texts = prompt_embeds.prompt.expand(len(latents), *prompt_embeds.prompt.shape[1:])
        if prompt_embeds.negative is None:
            output = self.run(inputs, timestep, texts).float()
        else:
            against = prompt_embeds.negative.expand_as(texts)
            both = self.run(torch.cat([inputs, inputs]), timestep, torch.cat([against, texts])).float()
            without, with_text = both.chunk(2)
            output = without + self.spec.guidance_scale * (with_text - without)
        return self.schedule.to_prediction(output, latents.float(), timestep)

    @abstractmethod
    def run(self, latents: torch.Tensor, timestep: int, prompt_embeds: torch.Tensor) -> torch.Tensor:
        """The network's raw output, shaped like `latents`; `prompt_embeds` is `[batch, frames or 1, tokens, width]`."""
