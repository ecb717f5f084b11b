# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons about the sidecar: connect, look at the preferences, copy what is to be typed."""

from __future__ import annotations

import bpy

from .. import link
from ..add_on import ADD_ON, set_up_commands


class CONFINER_OT_connect(bpy.types.Operator):
    """Find the sidecar or start it, with the preferences as they stand now"""

    bl_idname = "confiner.connect"
    bl_label = "Test Connection"

    def execute(self, context: bpy.types.Context) -> set[str]:
        link.reopen_link()
        return {"FINISHED"}


class CONFINER_OT_preferences(bpy.types.Operator):
    """Open the extension's preferences"""

    bl_idname = "confiner.preferences"
    bl_label = "Preferences"

    def execute(self, context: bpy.types.Context) -> set[str]:
        return bpy.ops.preferences.addon_show(module=ADD_ON)


class CONFINER_OT_copy_commands(bpy.types.Operator):
    """Copy the commands to the clipboard"""

    bl_idname = "confiner.copy_commands"
    bl_label = "Copy Commands"

    def execute(self, context: bpy.types.Context) -> set[str]:
        context.window_manager.clipboard = "\n".join(set_up_commands())
        return {"FINISHED"}


CLASSES = (CONFINER_OT_connect, CONFINER_OT_preferences, CONFINER_OT_copy_commands)
