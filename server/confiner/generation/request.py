# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked for: one clip. Plain values, no torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ..method.prompt_schedule import CROSSOVER, Stretch


@dataclass(frozen=True, kw_only=True)
class ClipRequest:
    """One clip. None stands for the chain's own default.

    `prompt` is what the clip begins with. From the `start` of each of `stretches` on another prompt holds; the change
    takes `crossover` frames, half of them before the start, and none where it is 0.
    `seed` is any integer ≥ 0; all its bits count. `freedom` is T_e, the timestep at which refinement starts: 0 would
    keep the structure as it is, the paper uses 100. `structure` holds viewport frames that take the control expert's
    place: uint8 `[num_frames, height, width, 3]`, of exactly the clip's length and size.
    """

    prompt: str
    num_frames: int
    width: int
    height: int
    seed: int = 0
    fps: float = 8.0
    negative_prompt: str = ""
    rule: str = "coordinated"
    freedom: int | None = None
    control_steps: int | None = None
    refine_steps: int | None = None
    stretches: tuple[Stretch, ...] = ()
    crossover: int = CROSSOVER
    structure: npt.NDArray[np.uint8] | None = field(default=None, repr=False, compare=False)

    def digest(self) -> str:
        """A name for the whole request, structure pixels included: SHA-256, hexadecimal."""
        settings = json.dumps({**self.settings(), "structure": self.structure_hash()}, sort_keys=True)
        return hashlib.sha256(settings.encode()).hexdigest()

    def structure_hash(self) -> str | None:
        """SHA-256 of the structure frames' pixels, or None where there are none."""
        if self.structure is None:
            return None
        return hashlib.sha256(np.ascontiguousarray(self.structure).tobytes()).hexdigest()

    def settings(self) -> dict[str, Any]:
        """Everything but the structure frames' pixels, as JSON values; a clip of one prompt has no stretches there."""
        stretches = [{"start": each.start, "prompt": each.prompt} for each in self.stretches]
        changing = {"stretches": stretches, "crossover": self.crossover} if stretches else {}
        return {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "num_frames": self.num_frames,
            "width": self.width,
            "height": self.height,
            "seed": self.seed,
            "fps": self.fps,
            "rule": self.rule,
            "freedom": self.freedom,
            "control_steps": self.control_steps,
            "refine_steps": self.refine_steps,
            **changing,
        }

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], structure: npt.NDArray[np.uint8] | None = None) -> ClipRequest:
        """The request whose `settings()` these are, with its structure frames."""
        stretches = tuple(Stretch(**each) for each in settings.get("stretches", ()))
        return cls(**{**settings, "stretches": stretches}, structure=structure)
