# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that are none: noticed at every step, told with the network that gave them, never made into a picture.

What a network gives is looked at where it is (`note`): one pass over its values and one flag, which stays on the
device. The flags of a whole step are fetched together (`check`), so a GPU is waited for once a step, whatever the rule.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from ..errors import NotFinite
from .denoiser import Denoiser, PromptEmbeds
from .schedule import NoiseSchedule, Prediction

HALVES = (torch.float16, torch.bfloat16)


@dataclass
class Watch:
    """What the networks of one step gave. `dtype` is what they compute in."""

    dtype: torch.dtype
    _seen: list[tuple[str, torch.Tensor, torch.Tensor]] = field(default_factory=list)

    def note(self, who: str, values: torch.Tensor) -> None:
        """Look at `values`, which `who` gave; nothing is said before `check`, and nothing is waited for."""
        self._seen.append((who, values, values.isfinite().all()))

    def check(self, doing: str) -> None:
        """Raise NotFinite for the first that gave anything else than finite numbers; `doing` says at which step."""
        seen, self._seen = self._seen, []
        if not seen or bool(torch.stack([flag for _, _, flag in seen]).all()):
            return
        who, values = next((who, values) for who, values, flag in seen if not flag)
        what = "not-a-number" if bool(values.isnan().any()) else "infinite values"
        raise NotFinite(f"{who} gave {what} {doing}", "finite numbers", remedy_for(who, self.dtype))


@dataclass(frozen=True)
class WatchedDenoiser:
    """An expert under a watch."""

    expert: Denoiser
    who: str
    watch: Watch

    @property
    def schedule(self) -> NoiseSchedule:
        return self.expert.schedule

    def predict(self, latents: torch.Tensor, timestep: int, prompt_embeds: PromptEmbeds) -> Prediction:
        seen = self.expert.predict(latents, timestep, prompt_embeds)
        self.watch.note(self.who, seen.x0)
        return seen


def remedy_for(who: str, dtype: torch.dtype) -> str:
    """What to do: half precision overflows beyond 65504, where float32 does not; else the file is broken."""
    other = f"name other weights for {who} in the chain file, or download them again"
    return f"load the chain in float32, twice the memory; or {other}" if dtype in HALVES else other
