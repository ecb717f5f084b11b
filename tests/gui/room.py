# SPDX-License-Identifier: GPL-3.0-or-later
"""A room with a window: Debian 13 in a folder, with its Blender 4.3 and a virtual screen. Needs root, debootstrap."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RELEASE = "trixie"
BLENDER = ("blender", "libgl1-mesa-dri", "libegl1", "libgl1", "libegl-mesa0", "python3-numpy", "python3-requests")
SCREEN = ("xvfb", "xauth", "xdotool", "imagemagick")


class Room:
    """A folder that holds a whole Debian; `enter` runs a command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def enter(self) -> list[str]:
        return ["chroot", str(self.folder)]

    def outside(self, inside: str) -> Path:
        """Where a path of the room is found from outside."""
        return self.folder / inside.lstrip("/")

    def make(self) -> None:
        """Install Debian and Blender, once: some minutes and 2 GB."""
        if (self.folder / "usr/bin/blender").exists():
            return
        if os.geteuid() != 0:
            sys.exit("making the room needs root: start this with sudo")
        if not (self.folder / "usr/bin/apt-get").exists():
            run(["debootstrap", "--variant=minbase", RELEASE, str(self.folder)])
        with self.opened():
            run([*self.enter, "apt-get", "update"])
            run([*self.enter, "apt-get", "install", "-y", "--no-install-recommends", *BLENDER, *SCREEN])

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The room with processes and devices in it."""
        mounted = []
        for source, name in (("/proc", "proc"), ("/dev", "dev")):
            target = self.folder / name
            if not os.path.ismount(target):
                run(["mount", "--rbind", source, str(target)])
                run(["mount", "--make-rslave", str(target)])
                mounted.append(target)
        try:
            yield
        finally:
            for target in reversed(mounted):
                run(["umount", "--recursive", str(target)])


def run(command: list[str]) -> None:
    if subprocess.run(command).returncode:
        sys.exit(f"this failed, see above: {' '.join(command)}")
