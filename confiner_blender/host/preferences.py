# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's preferences: which Python runs the sidecar, how long it stays, what Save As does with takes."""

from __future__ import annotations

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from .blender.add_on import ADD_ON, sidecar_installed
from .panels.connection_panel import draw_connection


class CONFINER_AP_preferences(bpy.types.AddonPreferences):
    bl_idname = ADD_ON

    sidecar_python: StringProperty(
        name="Sidecar's Python",
        description="The Python that the sidecar is installed in",
        subtype="FILE_PATH",
    )
    chains_file: StringProperty(
        name="Chains File", description="Your own expert chains, a TOML file", subtype="FILE_PATH"
    )
    stay: BoolProperty(
        name="Keep the Sidecar Running",
        description="Let the sidecar live on after Blender has closed, until it is told to end",
    )
    save_as: EnumProperty(
        name="On Save As",
        description="What happens to the takes when the .blend is saved in another folder",
        items=[
            ("COPY", "Copy Takes", "Copy every take, so that the new .blend stands on its own"),
            ("KEEP", "Keep in Place", "Leave the takes where they are and refer to them there"),
        ],
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        column = layout.column()
        column.prop(self, "sidecar_python")
        column.prop(self, "chains_file")
        column.prop(self, "stay")
        column.prop(self, "save_as")
        if sidecar_installed():
            layout.operator("confiner.remove_sidecar", icon="TRASH")
        draw_connection(layout, context.region.width)
