# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons that change the storyboard: its shots, their order and their settings."""

from __future__ import annotations

import random

import bpy
from bpy.props import EnumProperty, IntProperty, StringProperty

from ..blender import compat
from ..jobs.jobs import cancel
from ..scene import shots, strips
from ..session.runtime import running


class CONFINER_OT_add_shot(bpy.types.Operator):
    """Add a shot at the end of the storyboard, with the settings of the one before it"""

    bl_idname = "confiner.add_shot"
    bl_label = "Add Shot"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        shots.add_shot(compat.storyboard_scene(context))
        return {"FINISHED"}


class ShotOperator(bpy.types.Operator):
    """What works on the active shot."""

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return shots.active_shot(context) is not None


def idle(operator: type[bpy.types.Operator], context: bpy.types.Context) -> bool:
    """Whether the active shot is not being generated; says so where it is."""
    shot = shots.active_shot(context)
    if shot is not None and running(shot.uuid) is not None:
        operator.poll_message_set(f"{shot.name} is being generated: wait for it, or cancel it")
        return False
    return shot is not None


class CONFINER_OT_remove_shot(ShotOperator):
    """Remove the shot from the storyboard. Its takes stay on disk, and its strips on the timeline"""

    bl_idname = "confiner.remove_shot"
    bl_label = "Remove Shot"

    def execute(self, context: bpy.types.Context) -> set[str]:
        scene = compat.storyboard_scene(context)
        shot = shots.active_shot(context)
        if running(shot.uuid):
            cancel(shot.uuid)
        strips.hand_over(scene, shot.uuid, "", keep=[])
        scene.confiner.shots.remove(scene.confiner.index)
        scene.confiner.index = max(0, min(scene.confiner.index, len(scene.confiner.shots) - 1))
        return {"FINISHED"}


class CONFINER_OT_move_shot(ShotOperator):
    """Move the shot in the storyboard. Strips that are on the timeline already stay where they are"""

    bl_idname = "confiner.move_shot"
    bl_label = "Move Shot"

    direction: EnumProperty(items=[("UP", "Up", ""), ("DOWN", "Down", "")])

    def execute(self, context: bpy.types.Context) -> set[str]:
        storyboard = compat.storyboard_scene(context).confiner
        target = storyboard.index + (-1 if self.direction == "UP" else 1)
        if not 0 <= target < len(storyboard.shots):
            return {"CANCELLED"}
        storyboard.shots.move(storyboard.index, target)
        storyboard.index = target
        return {"FINISHED"}


class CONFINER_OT_new_seed(ShotOperator):
    """Draw another seed, for another take of the same shot"""

    bl_idname = "confiner.new_seed"
    bl_label = "New Seed"

    def execute(self, context: bpy.types.Context) -> set[str]:
        shots.active_shot(context).seed = random.randrange(shots.SEEDS)
        return {"FINISHED"}


class CONFINER_OT_set_size(ShotOperator):
    """Use this size"""

    bl_idname = "confiner.set_size"
    bl_label = "Set Size"

    width: IntProperty()
    height: IntProperty()

    def execute(self, context: bpy.types.Context) -> set[str]:
        shot = shots.active_shot(context)
        shot.width, shot.height = self.width, self.height
        return {"FINISHED"}


class CONFINER_OT_set_length(ShotOperator):
    """Use this length, in frames of the timeline"""

    bl_idname = "confiner.set_length"
    bl_label = "Set Length"

    length: IntProperty(min=1)

    def execute(self, context: bpy.types.Context) -> set[str]:
        shots.active_shot(context).length = self.length
        return {"FINISHED"}


class CONFINER_OT_set_chain(bpy.types.Operator):
    """Use this expert chain"""

    bl_idname = "confiner.set_chain"
    bl_label = "Set Chain"
    bl_options = {"REGISTER", "UNDO"}

    chain: StringProperty(description="Name of the chain; empty: the storyboard's")
    for_shot: bpy.props.BoolProperty(description="Set it for the active shot, not for the storyboard")

    def execute(self, context: bpy.types.Context) -> set[str]:
        owner = shots.active_shot(context) if self.for_shot else compat.storyboard_scene(context).confiner
        owner.chain = self.chain
        return {"FINISHED"}


CLASSES = (
    CONFINER_OT_add_shot,
    CONFINER_OT_remove_shot,
    CONFINER_OT_move_shot,
    CONFINER_OT_new_seed,
    CONFINER_OT_set_size,
    CONFINER_OT_set_length,
    CONFINER_OT_set_chain,
)
