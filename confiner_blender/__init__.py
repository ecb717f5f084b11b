# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension that Blender loads.

The sidecar's environment holds this package too, for `protocol`, and has no Blender: so bpy is imported only when
Blender calls `register()` or `unregister()`.
"""

__version__ = "0.2.0"


def register() -> None:
    """Called by Blender when the extension is enabled."""
    from .host import register as enable

    enable()


def unregister() -> None:
    """Called by Blender when the extension is disabled, and before it is updated."""
    from .host import unregister as disable

    disable()
