# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as experts read it: encoded once per clip, then looked up for the frames at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from ..method.denoiser import PromptEmbeds
from ..method.prompt_schedule import shares


@dataclass(frozen=True)
class PromptSchedule:
    """A clip's text for one expert, as it changes from frame to frame.

    `prompts` are the text that the clip begins with and those that hold from each of `starts` on, every one
    `[moments or 1, tokens, width]`, of which frame f reads row f modulo moments. `per_frame` is whether the expert
    reads a text for each frame or one for all that it sees together.
    """

    prompts: tuple[torch.Tensor, ...]
    negative: torch.Tensor | None = None
    starts: tuple[int, ...] = ()
    crossover: int = 0
    per_frame: bool = True

    def at(self, frames: Sequence[int]) -> PromptEmbeds:
        """The embeddings of consecutive absolute `frames`; one for all of them where the text stays the same.

        Where one stretch gives way to the next, embeddings are interpolated: frame by frame, or as they are in the
        middle of `frames` where the expert reads one text. Both depend on nothing but the frames.
        """
        rows = [frame % len(self.prompts[0]) for frame in frames]
        if len(self.prompts[0]) == 1 and (not self.starts or not self.per_frame):
            rows = [0]
        middle = (frames[0] + frames[-1] + 1) / 2
        moments = [frame + 0.5 if self.per_frame else middle for frame in frames]
        texts = [self._text(row, moment) for row, moment in zip(rows, moments, strict=False)]
        negative = None if self.negative is None else self.negative[rows].unsqueeze(0)
        return PromptEmbeds(torch.stack(texts).unsqueeze(0), negative)

    def _text(self, row: int, moment: float) -> torch.Tensor:
        """One text, `[tokens, width]`, at a moment; what holds alone is not touched."""
        held = zip(shares(moment, self.starts, self.crossover), self.prompts, strict=True)
        prediction = [(share, prompt[row]) for share, prompt in held if share > 0.0]
        return (
            prediction[0][1]
            if len(prediction) == 1
            else torch.stack([share * text for share, text in prediction]).sum(0)
        )


@dataclass(frozen=True)
class TextEncoder:
    """A tokenizer and its encoder, used as diffusers' Stable Diffusion pipelines use them."""

    tokenizer: Any
    model: Any

    @property
    def length(self) -> int:
        """Tokens per text; longer texts are cut."""
        return int(min(self.tokenizer.model_max_length, self.model.config.max_position_embeddings))

    def count(self, text: str) -> int:
        """Tokens of a text, with the marks of its beginning and end; what exceeds `length` is not read."""
        return len(self.tokenizer(text, verbose=False).input_ids)

    def encode(self, texts: list[str]) -> torch.Tensor:
        """The last hidden state, `[texts, tokens, width]`."""
        tokens = self.tokenizer(
            texts, padding="max_length", max_length=self.length, truncation=True, return_tensors="pt"
        )
        masked = getattr(self.model.config, "use_attention_mask", False)
        device = next(self.model.parameters()).device
        mask = tokens.attention_mask.to(device) if masked else None
        hidden: torch.Tensor = self.model(tokens.input_ids.to(device), attention_mask=mask)[0]
        return hidden
