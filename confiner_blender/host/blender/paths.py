# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths as a .blend writes them down: relative to itself where that can be, so that it may be moved with its takes."""

from __future__ import annotations

import os
from pathlib import Path

import bpy


def absolute(path: str) -> Path:
    """A path of the open .blend, where `//` is its folder."""
    return Path(os.path.normpath(bpy.path.abspath(path)))


def stored(folder: Path, blend: str) -> str:
    """How the file `blend` refers to a folder. `blend` is "" for an unsaved file, which knows no relative paths."""
    if not blend:
        return str(folder)
    try:
        return bpy.path.relpath(str(folder), start=str(Path(blend).parent))
    except ValueError:  # another drive
        return str(folder)


def directory(folder: Path) -> str:
    """How a strip of the open .blend refers to a folder. Blender keeps it true when the file is saved elsewhere."""
    return stored(folder, bpy.data.filepath) + "/"
