# SPDX-License-Identifier: GPL-3.0-or-later
"""Text as experts read it: encoded once per clip, then looked up for the frames at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True)
class Embeds:
    """Embeddings for some frames, `[batch or 1, frames or 1, tokens, width]`; `negative` is None without guidance."""

    prompt: torch.Tensor
    negative: torch.Tensor | None = None


@dataclass(frozen=True)
class Script:
    """A clip's text for one expert: `prompt` is `[moments or 1, tokens, width]`, frame f reads row f modulo moments."""

    prompt: torch.Tensor
    negative: torch.Tensor | None = None

    def at(self, frames: Sequence[int]) -> Embeds:
        """The embeddings of absolute `frames`; one for all of them where the text is per clip."""
        moments = len(self.prompt)
        rows = [0] if moments == 1 else [frame % moments for frame in frames]
        return Embeds(
            self.prompt[rows].unsqueeze(0), None if self.negative is None else self.negative[rows].unsqueeze(0)
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
