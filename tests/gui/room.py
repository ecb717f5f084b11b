# SPDX-License-Identifier: GPL-3.0-or-later
"""A room with a window: a Debian in a folder, with its Blender and a virtual screen. Needs root and debootstrap."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

RELEASE = "trixie"
"""Debian 13, whose Blender is 4.3; "sid" has the newest."""
BLENDER = ("blender", "libgl1-mesa-dri", "libegl1", "libgl1", "libegl-mesa0", "python3-numpy", "python3-requests")
NEWEST = ("python3-cattr", "python3-zstandard")
"""What Blender asks for besides from 5.0 on."""
SCREEN = ("xvfb", "xauth", "xdotool", "imagemagick")


class Room:
    """A folder that holds a whole Debian; `enter` runs a command in it."""

    def __init__(self, folder: Path, release: str = RELEASE) -> None:
        self.folder = folder
        self.release = release

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
            run(["debootstrap", "--variant=minbase", self.release, str(self.folder)])
        with self.opened():
            newest = NEWEST if self.release == "sid" else ()
            run([*self.enter, "apt-get", "-o", "Acquire::Check-Valid-Until=false", "update"])
            run([*self.enter, "apt-get", "install", "-y", "--no-install-recommends", *BLENDER, *newest, *SCREEN])

    @contextmanager
    def opened(self, shared: Iterable[Path] = ()) -> Iterator[None]:
        """The room with processes, devices and the `shared` folders in it, these under the paths they have outside."""
        mounted = []
        for source in (Path("/proc"), Path("/dev"), *shared):
            target = self.outside(str(source))
            target.mkdir(parents=True, exist_ok=True)
            if not os.path.ismount(target):
                run(["mount", "--rbind", str(source), str(target)])
                run(["mount", "--make-rslave", str(target)])
                mounted.append(target)
        try:
            yield
        finally:
            for target in reversed(mounted):
                run(["umount", "--recursive", "--lazy", str(target)])


def on_screen(size: str) -> list[str]:
    """What a command is started with to have a virtual screen of its own; `size` as in 1280x800x24."""
    return ["xvfb-run", "--auto-servernum", "--server-args", f"-screen 0 {size}"]


def run(command: list[str]) -> None:
    if subprocess.run(command).returncode:
        sys.exit(f"this failed, see above: {' '.join(command)}")
