# SPDX-License-Identifier: GPL-3.0-or-later
"""Buttons about the sidecar: connect, look at the preferences, copy what is to be typed."""

from __future__ import annotations

import bpy

from ...client.errors import ClientError
from ...client.setup.installation import remove
from ..blender.add_on import ADD_ON, environment_folder, set_up_commands
from ..blender.refusal import reporting
from ..session import background_work, sidecar_link


class CONFINER_OT_connect(bpy.types.Operator):
    """Find the sidecar or start it, with the preferences as they stand now"""

    bl_idname = "confiner.connect"
    bl_label = "Connect"

    def execute(self, context: bpy.types.Context) -> set[str]:
        sidecar_link.reopen_link()
        return {"FINISHED"}


class CONFINER_OT_test_connection(bpy.types.Operator):
    """Go the way to the experts hop by hop, and say which one fails"""

    bl_idname = "confiner.test_connection"
    bl_label = "Test Connection"

    def execute(self, context: bpy.types.Context) -> set[str]:
        background_work.start_test()
        return {"FINISHED"}


class CONFINER_OT_install_sidecar(bpy.types.Operator):
    """Build the sidecar's own environment in the extension's folder. Some gigabytes are fetched, mostly torch"""

    bl_idname = "confiner.install_sidecar"
    bl_label = "Install the Sidecar"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if background_work.installing():
            cls.poll_message_set("The sidecar is being installed: wait for it, or stop it")
            return False
        return True

    @reporting
    def execute(self, context: bpy.types.Context) -> set[str]:
        background_work.start_installation()
        return {"FINISHED"}


class CONFINER_OT_stop_installation(bpy.types.Operator):
    """Interrupt the installation; the next one goes on where it was"""

    bl_idname = "confiner.stop_installation"
    bl_label = "Stop"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not background_work.installing():
            cls.poll_message_set("Nothing is being installed")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        background_work.stop_installation()
        return {"FINISHED"}


class CONFINER_OT_remove_sidecar(bpy.types.Operator):
    """Remove the environment that was installed from here"""

    bl_idname = "confiner.remove_sidecar"
    bl_label = "Remove the Sidecar"

    def execute(self, context: bpy.types.Context) -> set[str]:
        sidecar_link.close_link()
        try:
            remove(environment_folder())
        except ClientError as error:
            self.report({"WARNING"}, f"{error.problem.message}: {error.problem.remedy}")
            return {"CANCELLED"}
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


CLASSES = (
    CONFINER_OT_connect,
    CONFINER_OT_test_connection,
    CONFINER_OT_install_sidecar,
    CONFINER_OT_stop_installation,
    CONFINER_OT_remove_sidecar,
    CONFINER_OT_preferences,
    CONFINER_OT_copy_commands,
)
