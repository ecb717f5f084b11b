#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands where the Python of Blender stands in the host tests, and runs their scripts in a Blender that has a window.

    export CONFINER_BLENDER_PYTHON=$PWD/tests/gui/blender_in_window.py CONFINER_WINDOW_ROOM=/var/tmp/confiner-window
    .venv/bin/python -m pytest tests/host/test_undoing.py tests/host/test_whose_frame.py

The room is made at its first use, with the newest Blender that Debian has (`room`); this needs root. Tests whose
scripts start a sidecar find none there: they are for the module.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from room import Room, on_screen

ROOT = Path(__file__).resolve().parents[2]
PASSED_ON = "BLENDER_USER_RESOURCES", "CONFINER_HOME", "OMP_NUM_THREADS"
"""What of the environment the scripts need inside."""
KILLED = 128
"""A shell adds it to the signal that ended its command."""


def main() -> int:
    script, *arguments = sys.argv[1:]
    room = Room(Path(os.environ["CONFINER_WINDOW_ROOM"]).resolve(), "sid")
    room.make()
    with room.opened(shared=[ROOT, Path(tempfile.gettempdir())]):
        blender = ["blender", "--factory-startup", "--python-exit-code", "1", "--python"]
        command = [*room.enter, *on_screen("1280x800x24"), *blender, str(Path(__file__).with_name("run_in_window.py"))]
        environment = {name: value for name, value in os.environ.items() if name in PASSED_ON}
        environment |= {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        code = subprocess.run([*command, "--", script, *arguments], env=environment).returncode
    if code > KILLED:  # a script that kills its Blender: the shell in between says so by a number
        os.kill(os.getpid(), code - KILLED)
    return code


if __name__ == "__main__":
    sys.exit(main())
