# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension as Blender knows it: its name, its preferences, its folders, and how they say to start the sidecar."""

from __future__ import annotations

from pathlib import Path

import bpy

from ...client.setup.installation import installed
from ...client.sidecar_process.launcher import LaunchCommand
from ...client.wheel import install_command

ADD_ON = __package__.rsplit(".", 2)[0]
"""The name under which Blender loads the extension."""


def preferences() -> bpy.types.AddonPreferences:
    """The extension's preferences."""
    return bpy.context.preferences.addons[ADD_ON].preferences


def launch_command() -> LaunchCommand | None:
    """How to start a sidecar, or None where there is no Python for it."""
    chosen = preferences()
    interpreter = sidecar_python()
    if interpreter is None:
        return None
    arguments = ["--stay"] if chosen.stay else []
    if chosen.chains_file:
        arguments += ["--chains", bpy.path.abspath(chosen.chains_file)]
    # Blender's own switch for add-ons that want to reach out; what the sidecar would fetch are experts from the hub.
    environment = {} if bpy.app.online_access else {"HF_HUB_OFFLINE": "1"}
    return LaunchCommand(interpreter, tuple(arguments), environment)


def sidecar_python() -> Path | None:
    """The Python to run the sidecar with: the one that was chosen, else the one that was installed from here."""
    if chosen := preferences().sidecar_python:
        return Path(bpy.path.abspath(chosen))
    there = installed(environment_folder())
    return Path(there.interpreter) if there is not None else None


def sidecar_installed() -> bool:
    """Whether an environment was built from here."""
    return installed(environment_folder()) is not None


def environment_folder() -> Path:
    """Where the sidecar's own environment is built."""
    return user_folder("environment")


def set_up_commands() -> list[str]:
    """What to type to set up a sidecar by hand, and what the preference is then."""
    home = Path.home() / "confiner"
    windows = bpy.app.build_platform in (b"Windows", "Windows")
    python = home / ("Scripts/python.exe" if windows else "bin/python")
    return [f'{"py -3.11" if windows else "python3"} -m venv "{home}"', install_command(python)]


def user_folder(name: str) -> Path:
    """A folder of the extension's own, which Blender removes only together with the extension.

    Raises:
        ValueError: the package was not installed as an extension.
    """
    return Path(bpy.utils.extension_path_user(ADD_ON, path=name, create=True))
