# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension's part that knows Blender, and the only one that imports bpy.

properties, preferences   what the author and the user have set      shots, takes   finding and changing it
operators, panels         what is pressed, what is drawn             strips         takes on the timeline
jobs                      a shot's way from the button to its take   capture        structure frames
parts                     takes that were cut short            arrivals       what comes by itself, and undo
found                     takes that only their folder knows
pump, link, errands       the line to the sidecar, drained by a timer
handlers, relocation      opening, saving, undo                      runtime        what is under way
compat                    every difference between Blender's versions
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
