# SPDX-License-Identifier: GPL-3.0-or-later
"""Inside a Blender with a window: runs a script as the module's Python would, then closes Blender."""

import runpy
import sys
from pathlib import Path

import bpy

script, *arguments = sys.argv[sys.argv.index("--") + 1 :]
sys.argv = [script, *arguments]
sys.path.insert(0, str(Path(script).parent))
assert not bpy.app.background, "there is no window"
runpy.run_path(script, run_name="__main__")
bpy.ops.wm.quit_blender()
