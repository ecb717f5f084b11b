# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons about pictures: the colours of the timeline, and the structure frames that a shot would send."""

from __future__ import annotations

import bpy

from ..blender import colour, compat
from ..blender.add_on import user_folder
from ..blender.refusal import Refusal, reporting
from ..jobs import capture
from ..scene import shots
from ..session.runtime import RUNTIME
from .storyboard_operators import ShotOperator


class CONFINER_OT_fix_colour(bpy.types.Operator):
    """Set the scene's view transform to Standard, so that clips keep their colours"""

    bl_idname = "confiner.fix_colour"
    bl_label = "Use Standard Colours"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        colour.mend(compat.storyboard_scene(context))
        return {"FINISHED"}


class CONFINER_OT_capture_structure(ShotOperator):
    """Render the structure frame under the playhead, to see what the experts will see"""

    bl_idname = "confiner.capture_structure"
    bl_label = "Look Through"
    bl_options = {"REGISTER"}

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, shot = compat.storyboard_scene(context), shots.active_shot(context)
        start = shots.start_of(scene, shot.uuid)
        offset = max(0, min(scene.frame_current - start, shot.length - 1))
        path = user_folder("structure") / f"{shot.uuid}_{offset:04d}.png"
        capture.check(scene, shot)
        if shot.structure == "NONE":
            raise Refusal("no-structure", "This shot has no structure frames", "choose Camera or Strip")
        capture.render(scene, shot, start, offset, path)
        RUNTIME.structures[shot.uuid] = path
        return {"FINISHED"}


CLASSES = (CONFINER_OT_fix_colour, CONFINER_OT_capture_structure)
