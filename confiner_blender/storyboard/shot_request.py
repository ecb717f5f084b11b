# SPDX-License-Identifier: GPL-3.0-or-later
"""From a shot to what the sidecar is asked for."""

from __future__ import annotations

from typing import Any

from ..protocol.messages import ShotRequest, Stretch, StructureInfo
from .clip_timing import clip_frame, clip_span, num_frames
from .shot_values import NO_STRUCTURE, Shot


def shot_request(shot: Shot) -> ShotRequest:
    """The request for `shot`, with structure frames announced where the shot has a source for them."""
    frames = num_frames(shot.timing)
    structure = StructureInfo(frames, shot.width, shot.height) if shot.structure != NO_STRUCTURE else None
    return ShotRequest(
        prompt=shot.prompt.strip(),
        negative_prompt=shot.negative_prompt.strip(),
        num_frames=frames,
        width=shot.width,
        height=shot.height,
        seed=shot.seed,
        chain=shot.chain,
        fps=shot.timing.fps,
        rule=shot.rule,
        freedom=shot.freedom,
        control_steps=shot.control_steps,
        refine_steps=shot.refine_steps,
        structure=structure,
        **_prompts(shot),
    )


def _prompts(shot: Shot) -> dict[str, Any]:
    """The later prompts in their order, counted in frames of the clip; nothing of a shot that shows but one."""
    seen = [stretch for stretch in shot.stretches if stretch.offset < shot.timing.length]
    if not seen:
        return {}
    in_order = sorted(seen, key=lambda stretch: stretch.offset)
    return {
        "stretches": [Stretch(clip_frame(shot.timing, each.offset), each.prompt.strip()) for each in in_order],
        "crossover": clip_span(shot.timing, shot.crossover),
    }
