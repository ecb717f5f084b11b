# SPDX-License-Identifier: GPL-3.0-or-later
"""Photographs every state of the panel in a real Blender window.

    sudo .venv/bin/python tests/gui/screenshots.py --extension dist/confiner-0.1.0.zip --out shots

Blender's Python module can open no window, so the pictures are taken in Debian's own Blender 4.3 on a virtual screen,
in a room of its own (`room`) that is made once. The sidecar is the real one and runs outside, in the Python that runs
this program: room and host share loopback and process ids. The states are brought about in `states`, in two visits:
first as a user who has no sidecar yet, then with one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from room import Room, on_screen

ROOT = Path(__file__).resolve().parents[2]
INSIDE = "/tmp/confiner-shots"
"""The folder, as Blender in the room sees it, that holds script, zip, pictures and everything the sidecar keeps."""
SCREEN = "1600x1000x24"
PATIENCE = 1800
NOISE = ("Error", "Traceback", "Warning: Py")
"""What a console without trouble does not say."""


def main() -> None:
    parser = argparse.ArgumentParser(description="photograph every state of the panel in a real Blender window")
    parser.add_argument("--extension", type=Path, required=True, help="the extension's zip")
    parser.add_argument("--out", type=Path, required=True, help="folder for the pictures")
    parser.add_argument("--room", type=Path, default=ROOT / ".blender" / "window", help="where the room is, or is made")
    arguments = parser.parse_args()
    room = Room(arguments.room.resolve())
    room.make()
    desk = room.outside(INSIDE)
    shutil.rmtree(desk, ignore_errors=True)
    desk.mkdir(parents=True)
    shutil.copy(arguments.extension, desk / "extension.zip")
    shutil.copy(Path(__file__).with_name("states.py"), desk)
    with room.opened():
        noise = visit(room, "without")
        sidecar = start_sidecar(desk)
        try:
            noise += visit(room, "with")
        finally:
            sidecar.send_signal(signal.SIGTERM)
            sidecar.wait()
    arguments.out.mkdir(parents=True, exist_ok=True)
    pictures = sorted((desk / "pictures").glob("*.png"))
    for picture in pictures:
        shutil.copy(picture, arguments.out)
    print(f"{len(pictures)} pictures in {arguments.out}")
    if noise:
        sys.exit("Blender's console was not quiet:\n" + "\n".join(noise))


def visit(room: Room, sidecar: str) -> list[str]:
    """Run the states that need a sidecar ("with"), or those that need none; returns what the console should not say."""
    blender = ["blender", "--factory-startup", "--online-mode", "--python-exit-code", "1", "--python"]
    process = subprocess.run(
        [*room.enter, *on_screen(SCREEN), *blender, f"{INSIDE}/states.py", "--", INSIDE, sidecar],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        env={
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "CONFINER_HOME": f"{INSIDE}/home",
        },
    )
    lines = process.stdout.splitlines()
    print(*(line for line in lines if line.startswith("state ")), sep="\n", flush=True)
    if process.returncode or "state done" not in lines:
        sys.exit(f"Blender ended with {process.returncode}\n{process.stdout}")
    return [line for line in lines if any(word in line for word in NOISE)]


def start_sidecar(desk: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "CONFINER_HOME": str(desk / "home")}
    command = [sys.executable, "-m", "confiner_cli", "serve", "--stay"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    if not process.stdout.readline():
        sys.exit("the sidecar did not start: run `confiner serve` to see why")
    return process


if __name__ == "__main__":
    main()
