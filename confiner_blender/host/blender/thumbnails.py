# SPDX-License-Identifier: GPL-3.0-or-later
"""Small pictures in panels: thumbnails of takes, previews of jobs. Loaded once, and again when a file has changed."""

from __future__ import annotations

from pathlib import Path

import bpy
import bpy.utils.previews

_COLLECTION: list[bpy.utils.previews.ImagePreviewCollection] = []


def start() -> None:
    _COLLECTION.append(bpy.utils.previews.new())


def stop() -> None:
    while _COLLECTION:
        bpy.utils.previews.remove(_COLLECTION.pop())


def placeholder() -> int:
    """The icon that keeps the place of a picture that is not there yet."""
    return int(bpy.types.UILayout.bl_rna.functions["prop"].parameters["icon"].enum_items["IMAGE_DATA"].value)


def icon(path: Path | None) -> int:
    """The icon of a picture file; 0 if there is none."""
    if path is None or not _COLLECTION:
        return 0
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return 0
    key = f"{path}:{changed}"
    pictures = _COLLECTION[0]
    if key not in pictures:
        pictures.load(key, str(path), "IMAGE")
    return pictures[key].icon_id
