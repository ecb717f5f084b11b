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
from .storyboard_operators import idle


class CONFINER_OT_generate(bpy.types.Operator):
    """Make a new take of the shot. It fills in on the timeline while you go on working"""

    bl_idname = "confiner.generate"
    bl_label = "Generate"
    bl_options = {"REGISTER"}  # no step of the history: undo does not take back what a job does

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return idle(cls, context)

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.generate(compat.storyboard_scene(context), shots.active_shot(context))
        return {"FINISHED"}


class CONFINER_OT_generate_all(bpy.types.Operator):
    """Make a take of every shot that has none yet, or whose take no longer matches its settings"""

    bl_idname = "confiner.generate_all"
    bl_label = "Generate All"
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        every = compat.storyboard_scene(context).confiner.shots
        if every and all(running(shot.uuid) for shot in every):
            cls.poll_message_set("Every shot is being generated: wait for them, or cancel them")
            return False
        return bool(every)

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
    """Stop generating this shot. Frames that are finished are kept"""

    bl_idname = "confiner.cancel"
    bl_label = "Cancel"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        shot = shots.active_shot(context)
        if shot is not None and running(shot.uuid) is None:
            cls.poll_message_set(f"{shot.name} is not being generated")
            return False
        return shot is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.cancel(shots.active_shot(context).uuid)
        return {"FINISHED"}


class CONFINER_OT_cancel_all(bpy.types.Operator):
    """Stop generating every shot of the storyboard. Frames that are finished are kept"""

    bl_idname = "confiner.cancel_all"
    bl_label = "Cancel All"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not any(running(shot.uuid) for shot in compat.storyboard_scene(context).confiner.shots):
            cls.poll_message_set("No shot is being generated")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        for shot in compat.storyboard_scene(context).confiner.shots:
            jobs.cancel(shot.uuid)
        return {"FINISHED"}


class CONFINER_OT_resume(bpy.types.Operator):
    """Store the rest of the frames, now that what was in the way is mended"""

    bl_idname = "confiner.resume"
    bl_label = "Resume"

    shot: StringProperty(description="Id of the shot")

    def execute(self, context: bpy.types.Context) -> set[str]:
        jobs.resume(self.shot)
        return {"FINISHED"}


CLASSES = (
    CONFINER_OT_generate,
    CONFINER_OT_generate_all,
    CONFINER_OT_cancel,
    CONFINER_OT_cancel_all,
    CONFINER_OT_resume,
)
