# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons that start and stop jobs."""

from __future__ import annotations

import bpy
from bpy.props import StringProperty

from ..blender import compat
from ..blender.refusal import Refusal, reporting
from ..jobs import jobs
from ..scene import shots
from ..session.runtime import running
from .storyboard_operators import ShotOperator


class CONFINER_OT_generate(ShotOperator):
    """Make a new take of the shot. It fills in on the timeline while you go on working"""

    bl_idname = "confiner.generate"
    bl_label = "Generate"

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.generate(compat.storyboard_scene(context), shots.active_shot(context))
        return {"FINISHED"}


class CONFINER_OT_generate_all(ShotOperator):
    """Make a take of every shot that has none yet, or whose take no longer matches its settings"""

    bl_idname = "confiner.generate_all"
    bl_label = "Generate All"

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = compat.storyboard_scene(context)
        started = 0
        for shot in scene.confiner.shots:
            if running(shot.uuid) or not jobs.wanting(scene, shot):
                continue
            try:
                jobs.generate(scene, shot)
                started += 1
            except Refusal as refusal:
                self.report({"WARNING"}, f"{shot.name}: {refusal}")
        if not started:
            self.report({"INFO"}, "Every shot that can be generated has its take, or is being generated")
        return {"FINISHED"} if started else {"CANCELLED"}


class CONFINER_OT_cancel(bpy.types.Operator):
    """Stop generating. Frames that are finished are kept"""

    bl_idname = "confiner.cancel"
    bl_label = "Cancel"

    shot: StringProperty(description="Id of the shot; empty: the active one")

    def execute(self, context: bpy.types.Context) -> set[str]:
        active = shots.active_shot(context)
        if not self.shot and active is None:
            return {"CANCELLED"}
        jobs.cancel(self.shot or active.uuid)
        return {"FINISHED"}


class CONFINER_OT_resume(bpy.types.Operator):
    """Store the rest of the frames, now that what was in the way is mended"""

    bl_idname = "confiner.resume"
    bl_label = "Resume"

    shot: StringProperty(description="Id of the shot")

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.resume(self.shot)
        return {"FINISHED"}


CLASSES = (CONFINER_OT_generate, CONFINER_OT_generate_all, CONFINER_OT_cancel, CONFINER_OT_resume)
