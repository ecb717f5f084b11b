# SPDX-License-Identifier: GPL-3.0-or-later
"""The main job, end to end: a storyboard of three shots in real Blender becomes clips on its timeline.

    python tests/host/demo.py --out DIR --blender PYTHON [--extension ZIP --sidecar PYTHON]

Leaves in DIR: demo.blend, its takes beside it (frames and take.json), animatic.mp4 and contact-sheet.png. Blender runs
as a user's would: a process of its own, its own fresh settings, the extension installed from the zip.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from contact_sheet import Row, draw_sheet

from confiner_blender.build import BLENDER, ROOT, build

STORYBOARD = Path(__file__).with_name("demo_in_blender.py")
RESULT = "RESULT "
NOISE = ("Saved:", "Time:", "EGL Error")
"""What Blender says of every frame it renders."""


def main() -> None:
    parser = argparse.ArgumentParser(description="a storyboard in real Blender becomes clips on its timeline")
    parser.add_argument("--out", type=Path, required=True, help="folder for what the demo leaves")
    parser.add_argument("--blender", type=Path, default=os.environ.get(BLENDER), required=BLENDER not in os.environ)
    parser.add_argument("--extension", type=Path, help="the extension's zip; else it is built")
    parser.add_argument(
        "--sidecar", type=Path, default=sys.executable, help="the Python that has the sidecar; else this"
    )
    arguments = parser.parse_args()
    arguments.extension = arguments.extension or build(arguments.blender, ROOT / "dist")
    out = arguments.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(out / "demo_confiner", ignore_errors=True)  # the takes of an earlier run
    started = time.monotonic()
    rows = run_blender(arguments, out)
    sheet = draw_sheet(out, rows)
    print(f"\n{len(rows)} shots in {time.monotonic() - started:.0f} s, in {arguments.out}:")
    for name in ("demo.blend", "animatic.mp4", sheet.name):
        print(f"  {name:<20} {(out / name).stat().st_size / 1024:6.0f} KB")
    print(f"  {'demo_confiner/':<20} the takes: frames and take.json")


def run_blender(arguments: argparse.Namespace, out: Path) -> list[Row]:
    """Run the storyboard's script, passing on what it prints; the rows of the contact sheet are its last word."""
    with tempfile.TemporaryDirectory(prefix="confiner-demo-") as home:
        order = {"out": str(out), "zip": str(arguments.extension.resolve()), "sidecar": str(arguments.sidecar)}
        process = subprocess.Popen(
            [arguments.blender, STORYBOARD, json.dumps(order)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(Path(home)),
        )
        try:
            rows, quiet = listen(process)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
    if rows is None:
        sys.exit(
            f"the demo did not come to its end (Blender ended with {process.returncode}); its last lines:\n{quiet}"
        )
    return rows


def listen(process: subprocess.Popen[str]) -> tuple[list[Row] | None, str]:
    """The result, and the lines that Blender itself printed."""
    assert process.stdout is not None
    rows, quiet = None, []
    for line in process.stdout:
        if line.startswith(RESULT):
            rows = [Row(**row) for row in json.loads(line.removeprefix(RESULT))]
        elif line.startswith("  "):
            print(line, end="", flush=True)
        elif line.strip() and not line.startswith(NOISE):
            quiet.append(line)
    process.wait()
    return rows, "".join(quiet[-20:])


def environment(home: Path) -> dict[str, str]:
    """The caller's variables, without what would mix the two Pythons, and with fresh folders for both programs."""
    kept = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    return {**kept, "BLENDER_USER_RESOURCES": str(home / "blender"), "CONFINER_HOME": str(home / "confiner")}


if __name__ == "__main__":
    main()
