# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways of making a long shot that are compared: our default, the paper's, each without one strategy, FreeNoise.

How the default was chosen, on bundled shots: windows decide. Where windows are segments, seams are of 1.40, fixed half
a window off 1.25 (10 shots of 128 frames); rotating ones leave 1.1 at the joints of the last step alone (6 shots), and
none once these overlap. The segments' noise decides how far the world wanders: random 1.45 and shuffled 1.29 (the same
10 shots), shared a sixth less than shuffled (10 shots of 256 frames). With shared noise, experts that read no moment
would make each segment the same, so it stays shuffled. Coherence guidance (γ 0 and .02) changes nothing that can be
seen, and γ = .1 in x0 adds a seam (4 shots). Both stay as the paper has them, with the step along the direction that
keeps the noise's norm.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from confiner import Chain, ClipRequest, FramesDone, Plan, generate, paper_preset, resolve_plan
from confiner.experts.latent_space import Pictures
from confiner.method.windows import rotating_offset

from .freenoise import STRIDE, FreeNoise

Settings = Callable[[Plan], Plan]

_WITHOUT: dict[str, dict[str, Any]] = {
    "consistency": {"initial_noise": "random"},
    "coherence": {"coherence": 0.0},
    "staggering": {"windows": "aligned", "overlap": False, "edges": "whole"},
}
"""The three strategies, and the plan in which one of them is left out."""

_WHOLE: dict[str, Settings] = {"default": lambda plan: plan, "paper": paper_preset}
FREENOISE = "freenoise"
PRESETS = (*_WHOLE, FREENOISE)
ABLATED = {
    base: (base, *(f"{base} without {strategy}" for strategy in _WITHOUT), f"{base} without any") for base in _WHOLE
}
"""A preset, and the same with one strategy left out, and with all three."""


@dataclass(frozen=True)
class Way:
    """One way of making a shot. `make` yields pictures in order, and the bytes of latents and frames held meanwhile."""

    settings: Settings
    make: Callable[[ClipRequest, Plan], Iterator[tuple[Pictures, int]]]
    phases: Callable[[Plan], frozenset[int]]

    def plan(self, request: ClipRequest, chain: Chain) -> Plan:
        return self.settings(resolve_plan(request, chain))


def way(name: str, chain: Chain) -> Way:
    """The preset or ablation called `name`, with the experts of `chain`."""
    span = chain.temporal.spec.frames
    if name == FREENOISE:
        return Way(_WHOLE["default"], FreeNoise(chain).make, lambda plan: frozenset(range(0, span, STRIDE)))

    def make(request: ClipRequest, plan: Plan) -> Iterator[tuple[Pictures, int]]:
        held = 0
        for event in generate(request, chain, plan):
            held = max(held, event.state.live_bytes)
            if isinstance(event, FramesDone):
                yield event.frames, max(held, event.state.live_bytes + event.frames.nbytes)

    return Way(settings(name), make, lambda plan: joint_phases(plan, span))


def joint_phases(plan: Plan, span: int) -> frozenset[int]:
    """Where segments and windows meet, modulo the frames of a window."""
    if plan.windows == "rotating":
        offsets = [rotating_offset(step, plan.refine_steps, span) for step in range(plan.refine_steps)]
        return frozenset({0, *offsets, *([(offsets[-1] + span // 2) % span] if plan.overlap else [])})
    return frozenset({0, span // 2} if plan.windows == "fixed" else {0})


def settings(name: str) -> Settings:
    """What the preset or ablation called `name` makes of a resolved plan."""
    base, _, strategy = name.partition(" without ")
    left_out = [_WITHOUT[strategy]] if strategy in _WITHOUT else list(_WITHOUT.values()) if strategy == "any" else []
    changes = {field: value for change in left_out for field, value in change.items()}
    return lambda plan: dataclasses.replace(_WHOLE[base](plan), **changes)
