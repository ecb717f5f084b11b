# SPDX-License-Identifier: GPL-3.0-or-later
"""The takes that no saved .blend has yet, each a small file outside of it, so that no crash and no undo loses one.

A take stands here from the moment its job is handed over until a .blend is saved that holds it, whole or as far as it
was made. A .blend that was closed, or never saved since its shots were generated, finds its takes here when it is
opened again. What is written here is on the disk when the call returns.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path

from .clip_timing import Timing

UNDER_WAY, ARRIVED, LEFT, REMOVED = "", "arrived", "left", "removed"
"""How a take stands: its job is to be followed; the job has ended; the author closed the file without saving it after
that; the author removed the take."""


@dataclass(frozen=True)
class Entry:
    """A take and whom it is for. `take` is the id of the take and of its job; `blend` is "" for a file never saved.

    `structure` and `structure_strip` are what laid out the shot, "" in entries of an older version, which have no
    `name` either. `since` is when the take was asked for, in seconds since 1970; `standing` is one of the four above.
    """

    take: str
    shot: str
    blend: str
    folder: str
    length: int
    fps: float
    hold: str
    scene_fps: float
    num_frames: int
    width: int
    height: int
    structure: str = ""
    structure_strip: str = ""
    name: str = ""
    since: float = 0.0
    standing: str = UNDER_WAY

    @property
    def timing(self) -> Timing:
        return Timing(self.length, self.fps, self.hold, self.scene_fps)


class Ledger:
    """The entries in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, entry: Entry) -> None:
        """Remember a take, or what has changed about it.

        Raises:
            OSError: the disk does not take it; what was written before still stands.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{entry.take}.part"
        with part.open("w", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(entry), indent=1))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path(entry.take))
        _sync_folder(self._folder)

    def strike(self, take: str) -> None:
        """Forget a take: a saved file has it, or there is nothing of it."""
        self._path(take).unlink(missing_ok=True)
        _sync_folder(self._folder)

    def entries(self) -> list[Entry]:
        """Every take that no saved file has, in the order they were asked for. A file none of ours is passed over."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(Entry(**json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError):
                continue
        return sorted(found, key=lambda entry: entry.since)

    def _path(self, take: str) -> Path:
        return self._folder / f"{take}.json"


def _sync_folder(folder: Path) -> None:
    """Have the names in the folder on the disk too. Windows opens no folders, and does this by itself."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
