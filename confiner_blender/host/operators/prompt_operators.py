# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons about the prompts that follow the first one."""

from __future__ import annotations

import bpy
from bpy.props import IntProperty

from ..blender import compat
from ..scene import shots
from .storyboard_operators import ShotOperator


class CONFINER_OT_add_stretch(ShotOperator):
    """Let another prompt hold from the playhead on, or from the middle of what is left of the shot"""

    bl_idname = "confiner.add_stretch"
    bl_label = "Then …"

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, shot = compat.storyboard_scene(context), shots.active_shot(context)
        last = max(shot.stretches, key=lambda stretch: stretch.start, default=None)
        begun, prompt = (1, shot.prompt) if last is None else (last.start, last.prompt)
        playhead = scene.frame_current - shots.start_of(scene, shot.uuid) + 1
        stretch = shot.stretches.add()
        stretch.start = playhead if begun < playhead <= shot.length else (begun + shot.length) // 2 + 1
        stretch.prompt = prompt
        return {"FINISHED"}


class CONFINER_OT_remove_stretch(ShotOperator):
    """Let the prompt before it hold on"""

    bl_idname = "confiner.remove_stretch"
    bl_label = "Remove Prompt"

    index: IntProperty(min=0)

    def execute(self, context: bpy.types.Context) -> set[str]:
        shots.active_shot(context).stretches.remove(self.index)
        return {"FINISHED"}


CLASSES = (CONFINER_OT_add_stretch, CONFINER_OT_remove_stretch)
