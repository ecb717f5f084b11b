# SPDX-License-Identifier: GPL-3.0-or-later
"""What is drawn: the same panels in the sequencer's sidebar and in the 3D viewport's.

A panel draws the author's properties and the runtime as they are, and changes neither.
"""

from __future__ import annotations

import bpy

from .shot_panel import (
    CONFINER_MT_shot_chain,
    CONFINER_MT_size,
    CONFINER_MT_storyboard_chain,
    ExpertsPanel,
    ShotPanel,
)
from .sidecar_panel import SidecarPanel
from .storyboard_panel import CONFINER_UL_shots, StoryboardPanel
from .takes_panel import TakesPanel
from .weights_panel import WeightsPanel

CATEGORY = "ConFiner"
SPACES = {"sequencer": "SEQUENCE_EDITOR", "viewport": "VIEW_3D"}


def _in_every_space(order: int, name: str, drawing: type) -> list[type]:
    """`drawing` as a panel of each space's sidebar."""
    return [
        type(
            f"CONFINER_PT_{name}_{place}",
            (drawing, bpy.types.Panel),
            {
                "bl_idname": f"CONFINER_PT_{name}_{place}",
                "bl_space_type": space,
                "bl_region_type": "UI",
                "bl_category": CATEGORY,
                "bl_order": order,
            },
        )
        for place, space in SPACES.items()
    ]


CLASSES = (
    CONFINER_UL_shots,
    CONFINER_MT_storyboard_chain,
    CONFINER_MT_shot_chain,
    CONFINER_MT_size,
    *_in_every_space(0, "storyboard", StoryboardPanel),
    *_in_every_space(1, "shot", ShotPanel),
    *_in_every_space(2, "experts", ExpertsPanel),
    *_in_every_space(3, "takes", TakesPanel),
    *_in_every_space(4, "weights", WeightsPanel),
    *_in_every_space(5, "sidecar", SidecarPanel),
)
