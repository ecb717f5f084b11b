# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar in the sidebar: its state always in the header, the rest on demand."""

from __future__ import annotations

import bpy

from .connection_panel import draw_connection, headline


class SidecarPanel:
    bl_label = "Sidecar"
    bl_options = {"DEFAULT_CLOSED"}

    def draw_header_preset(self, context: bpy.types.Context) -> None:
        text, icon = headline()
        self.layout.label(text=text, icon=icon)

    def draw(self, context: bpy.types.Context) -> None:
        draw_connection(self.layout, context.region.width)
