# SPDX-License-Identifier: GPL-3.0-or-later
"""A take in a folder of its own: `frame_0001.png`, `frame_0002.png`, …, then `take.json`.

A file is written beside its place and renamed into it, so that whoever looks sees a whole file or none. A name never
changes its meaning: frame 0 of the clip is `frame_0001.png` for as long as the take exists. `take.json` comes last;
a folder without one is a take under way, or one that was cut short. Then `part.json` is the record of the frames that
are there, should they be kept as a take of their own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path
from typing import Any

from ...protocol.messages import FrameDone, Problem
from ..whole_file import NotStored, write

TAKE = "take.json"
PART = "part.json"
PREVIEW = "preview.png"


def frame_name(frame: int) -> str:
    """The file name of a frame, counted from 0."""
    return f"frame_{frame + 1:04d}.png"


def store_frame(folder: Path, event: FrameDone, png: bytes) -> Path:
    """Store the frame that `event` announced, unless the same frame lies there already.

    Raises:
        NotStored: the picture is not the one announced, or the disk does not take it.
    """
    seen = hashlib.sha256(png).hexdigest()
    if seen != event.sha256:
        message = f"frame {event.frame} arrived damaged: its hash is {seen[:12]}…, expected {event.sha256[:12]}…"
        raise NotStored(Problem("damaged-frame", message, "generate the shot again"), again=True)
    path = folder / frame_name(event.frame)
    if not holds(path, event.sha256):
        write(path, png)
    return path


def store_preview(folder: Path, png: bytes) -> Path:
    """Store a preview over the last one.

    Raises:
        NotStored: the disk does not take it.
    """
    path = folder / PREVIEW
    write(path, png)
    return path


def store_take(folder: Path, take: dict[str, Any]) -> Path:
    """Store the take's record, which makes the take complete, and clear away what only served while it was made.

    Raises:
        NotStored: the disk does not take it.
    """
    path = folder / TAKE
    write(path, _record(take))
    clear(folder, PART)
    return path


def store_part(folder: Path, part: dict[str, Any]) -> Path:
    """Store the record of what is finished of a take that was cut short; clear away what only served its making.

    Raises:
        NotStored: the disk does not take it.
    """
    path = folder / PART
    write(path, _record(part))
    clear(folder)
    return path


def _record(take: dict[str, Any]) -> bytes:
    return json.dumps(take, indent=1, ensure_ascii=False).encode()


def clear(folder: Path, *more: str) -> None:
    """Remove what only served while the take was made, and what else is named."""
    for leftover in (folder / PREVIEW, *(folder / name for name in more), *folder.glob(".*.part")):
        # A preview that somebody else holds open is no reason to call the take anything but what it is.
        with contextlib.suppress(OSError):
            leftover.unlink(missing_ok=True)


def missing_frames(folder: Path, num_frames: int) -> list[int]:
    """Which of the first `num_frames` frames do not lie in `folder`."""
    return [frame for frame in range(num_frames) if not (folder / frame_name(frame)).exists()]


def holds(path: Path, sha256: str) -> bool:
    """Whether the file at `path` has that hash."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest() == sha256
    except OSError:
        return False
