# SPDX-License-Identifier: GPL-3.0-or-later
"""What an author writes down for one shot, as plain values."""

from __future__ import annotations

from dataclasses import dataclass

from .clip_timing import Timing

NO_STRUCTURE = "NONE"


@dataclass(frozen=True)
class Stretch:
    """From `offset` timeline frames after the shot's start on, `prompt` holds."""

    offset: int
    prompt: str


@dataclass(frozen=True)
class Shot:
    """One intended piece of the storyboard. None stands for the chain's own default.

    `prompt` is what the shot begins with, `stretches` what follows, in any order; one gives way to the next in
    `crossover` timeline frames. `structure` names where structure frames come from: NONE (the control expert makes
    them), CAMERA or STRIP.
    """

    uuid: str
    prompt: str
    negative_prompt: str
    timing: Timing
    width: int
    height: int
    seed: int
    chain: str
    rule: str
    freedom: int | None
    control_steps: int | None
    refine_steps: int | None
    structure: str
    stretches: tuple[Stretch, ...] = ()
    crossover: int = 0
