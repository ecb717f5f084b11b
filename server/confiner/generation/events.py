# SPDX-License-Identifier: GPL-3.0-or-later
"""What `generate` reports. Every event carries the state behind it: to resume, hand that state back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

    from .state import ShotState

Stage = Literal["control", "refine"]


@dataclass(frozen=True)
class StepDone:
    """One denoising step of a segment (control) or of a window (refine) is done.

    `step` counts from 1 to `steps` over the whole clip and stage; of `evaluations_total` model calls in all stages
    `evaluations` are done. `start` is the first of the `frames` absolute frames that were worked on.
    `latents` are what these frames are predicted to become, and `preview` is one of them, uint8 `[height, width, 3]` at
    the latents' size, or larger where the chain has a decoder for previews.
    """

    stage: Stage
    step: int
    steps: int
    timestep: int
    start: int
    frames: int
    evaluations: int
    evaluations_total: int
    state: ShotState = field(repr=False)
    latents: torch.Tensor = field(repr=False)
    preview: npt.NDArray[np.uint8] = field(repr=False)


@dataclass(frozen=True)
class StructureReady:
    """The structure of `frames` frames from `start` on is there: made by the control expert or encoded."""

    start: int
    frames: int
    state: ShotState = field(repr=False)


@dataclass(frozen=True)
class FramesDone:
    """Final frames, in order, each reported once: sRGB, uint8 `[n, height, width, 3]`, from frame number `start` on.

    `latents` are what they were decoded from, `[1, channels, n, h, w]`.
    """

    start: int
    frames: npt.NDArray[np.uint8] = field(repr=False)
    latents: torch.Tensor = field(repr=False)
    state: ShotState = field(repr=False)


Event = StepDone | StructureReady | FramesDone
