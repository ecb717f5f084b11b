# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons on a take: use it, make more of it, take its settings back, remove it, show its folder."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import IntProperty, StringProperty

from ..blender import compat
from ..blender.refusal import reporting
from ..jobs import arrivals, jobs, partial_takes, unlisted_takes
from ..panels.takes_panel import TAKE
from ..scene import shots, takes
from ..session.runtime import job_of, running
from .storyboard_operators import ShotOperator, idle


class TakeOperator(bpy.types.Operator):
    """What works on one take of the active shot, named by its id; empty: the take on the timeline."""

    bl_options = {"REGISTER", "UNDO"}

    def target(self, context: bpy.types.Context) -> tuple[Any, Any]:
        shot = shots.active_shot(context)
        if shot is None:
            return None, None
        return shot, shots.find_take(shot, self.take or shot.active_take)


class CONFINER_OT_use_take(TakeOperator):
    """Show this take on the timeline. The strip keeps its start, trims, transform and effects"""

    bl_idname = "confiner.use_take"
    bl_label = "Use Take"

    take: StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        if take is None:
            self.report({"WARNING"}, "There is no such take: generate the shot first")
            return {"CANCELLED"}
        arrivals.choose(compat.storyboard_scene(context), shot, take)
        return {"FINISHED"}


class CONFINER_OT_remove_take(TakeOperator):
    """Remove the take from the list and from the timeline. Its files stay on disk"""

    bl_idname = "confiner.remove_take"
    bl_label = "Remove Take"

    take: StringProperty()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        job = job_of(getattr(context, TAKE, None) or "")
        if job is not None and not job.progress.ended:
            cls.poll_message_set("The take is being made: cancel it first")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        job = running(shot.uuid) if shot is not None else None
        if take is None or (job is not None and job.entry.take == take.uuid):
            self.report({"WARNING"}, "The take is being made: cancel it first" if take else "There is no such take")
            return {"CANCELLED"}
        if partial_takes.cut_short(shot, take):
            jobs.let_go(take.uuid)
        arrivals.remove(compat.storyboard_scene(context), shot, take.uuid)
        return {"FINISHED"}


class CONFINER_OT_go_on(TakeOperator):
    """Make the rest of this take, from where it was stopped"""

    bl_idname = "confiner.go_on"
    bl_label = "Go On"
    bl_options = {"REGISTER"}

    take: StringProperty()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return idle(cls, context)

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        if take is None or not partial_takes.cut_short(shot, take):
            self.report({"WARNING"}, "No take was cut short here")
            return {"CANCELLED"}
        partial_takes.go_on(shot, take)
        return {"FINISHED"}


class CONFINER_OT_keep_part(TakeOperator):
    """Make a take of the frames that are there, and the shot as short as they are"""

    bl_idname = "confiner.keep_part"
    bl_label = "Keep Part"

    take: StringProperty()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return idle(cls, context)

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        if take is None or not partial_takes.cut_short(shot, take):
            self.report({"WARNING"}, "No take was cut short here")
            return {"CANCELLED"}
        partial_takes.keep(compat.storyboard_scene(context), shot, take)
        return {"FINISHED"}


class CONFINER_OT_extend_take(TakeOperator):
    """Make a longer take that begins with the same frames as this one, but for the last few, which look ahead"""

    bl_idname = "confiner.extend_take"
    bl_label = "Extend"

    take: StringProperty()
    frames: IntProperty(name="Frames", description="Frames of the timeline to add", default=48, min=1, soft_max=480)

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return idle(cls, context)

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        return context.window_manager.invoke_props_dialog(self)

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        scene, (shot, take) = compat.storyboard_scene(context), self.target(context)
        settings = takes.settings_of(take) if take is not None else None
        if settings is None or running(shot.uuid) is not None:
            self.report({"WARNING"}, "There is no take to extend, or the shot is being generated")
            return {"CANCELLED"}
        shots.restore(scene, shot, take, settings)
        shot.length += self.frames
        jobs.generate(scene, shot)
        return {"FINISHED"}


class CONFINER_OT_restore_take(TakeOperator):
    """Set the shot to what this take was made with"""

    bl_idname = "confiner.restore_take"
    bl_label = "Restore Settings"

    take: StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        settings = takes.settings_of(take) if take is not None else None
        if settings is None:
            self.report({"WARNING"}, "The take's folder holds no record of its settings")
            return {"CANCELLED"}
        shots.restore(compat.storyboard_scene(context), shot, take, settings)
        return {"FINISHED"}


class CONFINER_OT_take_in(ShotOperator):
    """Put the takes that lie in the shot's folder into its list. The timeline stays as it is"""

    bl_idname = "confiner.take_in"
    bl_label = "Take Them In"

    def execute(self, context: bpy.types.Context) -> set[str]:
        count = unlisted_takes.take_in(compat.storyboard_scene(context), shots.active_shot(context))
        self.report({"INFO"}, f"{count} take{'' if count == 1 else 's'} taken in")
        return {"FINISHED"} if count else {"CANCELLED"}


class CONFINER_OT_leave_found(ShotOperator):
    """Leave the takes that were found where they are, and do not offer them again"""

    bl_idname = "confiner.leave_found"
    bl_label = "Leave Them"

    def execute(self, context: bpy.types.Context) -> set[str]:
        unlisted_takes.leave(compat.storyboard_scene(context), shots.active_shot(context))
        return {"FINISHED"}


class CONFINER_OT_open_take(TakeOperator):
    """Show the take's folder in the file browser of the system"""

    bl_idname = "confiner.open_take"
    bl_label = "Open Folder"
    bl_options = {"REGISTER"}

    take: StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        _, take = self.target(context)
        if take is None:
            return {"CANCELLED"}
        return bpy.ops.wm.path_open(filepath=str(takes.folder_of(take)))


CLASSES = (
    CONFINER_OT_use_take,
    CONFINER_OT_go_on,
    CONFINER_OT_keep_part,
    CONFINER_OT_extend_take,
    CONFINER_OT_remove_take,
    CONFINER_OT_restore_take,
    CONFINER_OT_take_in,
    CONFINER_OT_leave_found,
    CONFINER_OT_open_take,
)
