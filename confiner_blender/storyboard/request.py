# SPDX-License-Identifier: GPL-3.0-or-later
"""From a shot to what the sidecar is asked for."""

from __future__ import annotations

from ..protocol.messages import ShotRequest, StructureInfo
from .shot import NO_STRUCTURE, Shot
from .timing import num_frames


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
    )
