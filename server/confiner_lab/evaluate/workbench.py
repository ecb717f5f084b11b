# SPDX-License-Identifier: GPL-3.0-or-later
"""Structure frames with a known path, rendered by a real Blender in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .paths import points

SCENE = Path(__file__).with_name("greybox_scene.py")
FLOORS = (0.8, 0.35, 0.15)
"""Greys of the floor, clip by clip: Blender's default, which is the solid's own, and two darker ones."""
BLENDER_VARIABLE = "CONFINER_BLENDER_PYTHON"


class BlenderMissing(Exception):
    """No Blender that can render was found."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True)
class StructureClip:
    """Grey frames [frames, height, width, 3], and where their solid is: x, y in pixels [frames, 2]."""

    path: str
    shape: str
    frames: NDArray[np.uint8]
    truth: NDArray[np.float64]


def find_blender(named: str | None) -> Path:
    """The interpreter that can `import bpy`: the one `named`, the environment's, or the one `dev.py` made.

    Raises:
        BlenderMissing: there is none.
    """
    made = sorted(Path.cwd().glob(".blender/*/bin/python")) + sorted(Path.cwd().glob(".blender/*/Scripts/python.exe"))
    candidates = [Path(name) for name in (named, os.environ.get(BLENDER_VARIABLE)) if name] + made
    if not candidates:
        raise BlenderMissing(
            "found no Blender to render structure frames with",
            f"name a Python that can import bpy with --blender or {BLENDER_VARIABLE}; `python3 dev.py demo` makes one",
        )
    if not candidates[0].exists():
        raise BlenderMissing(f"there is no interpreter at {candidates[0]}", "name a Python that can import bpy")
    return candidates[0]


def render_structure(
    blender: Path, paths: list[str], shapes: list[str], *, num_frames: int, width: int, height: int
) -> list[StructureClip]:
    """One clip for each path, with the shape of the same place in `shapes`.

    Raises:
        BlenderMissing: the interpreter could not import bpy, or Blender did not get through the render.
    """
    with tempfile.TemporaryDirectory(prefix="confiner-structure-") as folder:
        out = Path(folder)
        folders = [out / f"{index:02d}" for index in range(len(paths))]
        clips = [
            {
                "name": folders[index].name,
                "shape": shape,
                "floor": FLOORS[index % len(FLOORS)],
                "points": points(path, num_frames),
            }
            for index, (path, shape) in enumerate(zip(paths, shapes, strict=True))
        ]
        order = out / "order.json"
        order.write_text(
            json.dumps({"width": width, "height": height, "out": folder, "clips": clips}), encoding="utf-8"
        )
        _run_blender(blender, order)
        return [
            StructureClip(path, shape, _read_frames(made), _read_truth(made))
            for path, shape, made in zip(paths, shapes, folders, strict=True)
        ]


def _run_blender(blender: Path, order: Path) -> None:
    without_ours = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    done = subprocess.run(
        [str(blender), str(SCENE), str(order)], capture_output=True, text=True, errors="replace", env=without_ours
    )
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no output").splitlines()[-1]
        raise BlenderMissing(
            f"{blender} ended with code {done.returncode} instead of rendering structure frames: {last}",
            "check that this Python can import bpy, and that libEGL is installed",
        )


def _read_frames(folder: Path) -> NDArray[np.uint8]:
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in sorted(folder.glob("frame_*.png"))])


def _read_truth(folder: Path) -> NDArray[np.float64]:
    return np.array(json.loads((folder / "truth.json").read_text(encoding="utf-8")))
