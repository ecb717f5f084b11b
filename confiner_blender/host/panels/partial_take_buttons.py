# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with a take that was cut short: the two buttons, wherever it is spoken of."""

from __future__ import annotations

from typing import Any

from ..scene import takes
from ..scene.properties import CONFINER_PG_take
from .sentences import draw_sentence


def draw_cut_short(layout: Any, take: CONFINER_PG_take, width: int) -> None:
    """How much there is of the take, and the choice."""
    done = len(takes.take_state(take).frames)
    box = layout.box()
    draw_sentence(box, f"{take.name} was cut short: {done} of {take.num_frames} frames are there", width, "MOD_TIME")
    row = box.row(align=True)
    row.operator("confiner.go_on", icon="PLAY").take = take.uuid
    row.operator("confiner.keep_part", icon="CHECKMARK").take = take.uuid
