# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons on a take: use it, take its settings back, remove it, show its folder."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import StringProperty

from .. import compat, shots, takes
from ..runtime import RUNTIME, running


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
        takes.show(compat.storyboard_scene(context), shot, take)
        return {"FINISHED"}


class CONFINER_OT_remove_take(TakeOperator):
    """Remove the take from the list and from the timeline. Its files stay on disk"""

    bl_idname = "confiner.remove_take"
    bl_label = "Remove Take"

    take: StringProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot, take = self.target(context)
        job = running(shot.uuid) if shot is not None else None
        if take is None or (job is not None and job.entry.take == take.uuid):
            self.report({"WARNING"}, "The take is being made: cancel it first" if take else "There is no such take")
            return {"CANCELLED"}
        RUNTIME.removed.add(take.uuid)
        takes.discard(compat.storyboard_scene(context), shot, take.uuid)
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


CLASSES = (CONFINER_OT_use_take, CONFINER_OT_remove_take, CONFINER_OT_restore_take, CONFINER_OT_open_take)
