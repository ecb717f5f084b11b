# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline's colours. A scene's default view transform, AgX, is made for renders and shifts clips visibly.

The scene is the author's: it is never changed silently, only by the button beside the warning.
"""

from __future__ import annotations

import bpy

LOSSLESS = "Standard"


def warning(scene: bpy.types.Scene) -> str:
    """What the scene does to the colours of its clips; empty if it shows them as they are."""
    view = scene.view_settings
    if view.view_transform != LOSSLESS:
        return f"{view.view_transform} shifts the colours of clips on the timeline"
    if view.look != "None" or view.exposure != 0 or view.gamma != 1:
        return "Look, exposure or gamma shift the colours of clips on the timeline"
    return ""


def mend(scene: bpy.types.Scene) -> None:
    """Show clips as they are."""
    view = scene.view_settings
    view.view_transform = LOSSLESS
    view.look = "None"
    view.exposure, view.gamma = 0, 1
