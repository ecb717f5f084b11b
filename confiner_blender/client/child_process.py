# SPDX-License-Identifier: GPL-3.0-or-later
"""How a program is started from inside Blender: apart from its console, and without what would lead it astray."""

from __future__ import annotations

import os
import subprocess
import sys

if sys.platform == "win32":
    DETACHED = subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP
else:
    DETACHED = 0  # there, a session of its own does it


def clean_environment() -> dict[str, str]:
    """This process's variables without those that would lead another Python to Blender's modules."""
    lead_astray = ("VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k not in lead_astray}
    return {**kept, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
