# SPDX-License-Identifier: GPL-3.0-or-later
"""The prompts that follow the first one: from which frame of the shot on, and how one gives way to the next."""

from __future__ import annotations

from typing import Any

from ..scene.properties import CONFINER_PG_shot

FRAME_SHARE = 0.28
"""The part of a row that its frame takes."""


def draw_later_prompts(layout: Any, shot: CONFINER_PG_shot) -> None:
    """A row for each, in the order in which they are seen, and the button for one more."""
    column = layout.column(align=True)
    in_order = sorted(enumerate(shot.stretches), key=lambda numbered: numbered[1].start)
    for index, stretch in in_order:
        row = column.row(align=True)
        split = row.split(factor=FRAME_SHARE, align=True)
        split.prop(stretch, "start", text="From")
        split.prop(stretch, "prompt", text="", placeholder="What is seen from there on")
        row.operator("confiner.remove_stretch", text="", icon="X").index = index
    row = column.row(align=True)
    row.operator("confiner.add_stretch", icon="ADD")
    if in_order:
        row.prop(shot, "crossover")
