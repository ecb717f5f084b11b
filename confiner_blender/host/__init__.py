# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's part that knows Blender, and the only one that imports bpy.

properties, takes, strips, …   in `scene`        the author's data, and what stands on the timeline
jobs, capture, arrivals, …     in `jobs`         a shot's way from the button to its take
runtime, sidecar_link, …       in `session`      what is under way, outside the .blend
timer, handlers, …             in `callbacks`    what Blender calls by itself
compat, paths, colour, …       in `blender`      Blender as it is met: versions, folders, colours
operators, panels                                what is pressed, what is drawn
"""

from __future__ import annotations

import atexit

import bpy

from . import operators, panels, preferences
from .blender import thumbnails
from .callbacks import handlers, timer
from .jobs import arrivals
from .scene import properties
from .session import background_work, runtime, sidecar_link

CLASSES = (
    *properties.CLASSES,
    preferences.CONFINER_AP_preferences,
    *operators.CLASSES,
    *panels.CLASSES,
)


def register() -> None:
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    properties.attach()
    thumbnails.start()
    handlers.start()
    timer.start()
    atexit.register(_leave)


def unregister() -> None:
    atexit.unregister(_leave)
    _leave()
    thumbnails.stop()
    runtime.reset()
    properties.detach()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _leave() -> None:
    """Let go of everything that calls back: a timer that is left at exit crashes some Blenders and hangs others."""
    arrivals.leave()
    timer.stop()
    handlers.stop()
    background_work.stop()
    sidecar_link.close_link()
