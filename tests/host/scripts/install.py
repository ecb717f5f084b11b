# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs the zip as a user does, enables it, disables it and enables it again."""

import bpy
import stage

installed = bpy.ops.extensions.package_install_files(
    filepath=stage.ARGUMENTS["zip"], repo="user_default", enable_on_install=True
)
pump = stage.module("host.callbacks.timer")
handlers = stage.module("host.callbacks.handlers")
before = hasattr(bpy.types, "CONFINER_PT_storyboard_sequencer"), bpy.app.timers.is_registered(pump.tick)
bpy.ops.preferences.addon_disable(module=stage.ADD_ON)
left = [name for name in dir(bpy.types) if name.startswith("CONFINER_")]
after = hasattr(bpy.types.Scene, "confiner"), bpy.app.timers.is_registered(pump.tick)
still_called = handlers.loaded in bpy.app.handlers.load_post
bpy.ops.preferences.addon_enable(module=stage.ADD_ON)
stage.report(
    enabled=installed == {"FINISHED"} and hasattr(bpy.types.Scene, "confiner"),
    panels_and_timer=before,
    left_after_disabling=left,
    storyboard_and_timer_after_disabling=after,
    still_called=still_called,
)
