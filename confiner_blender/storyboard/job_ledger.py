# SPDX-License-Identifier: GPL-3.0-or-later
"""The jobs under way, each a small file outside the .blend, so that no crash and no undo loses one.

A .blend that was closed, or never saved since its shots were generated, finds its jobs here when it is opened again.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from .clip_timing import Timing


@dataclass(frozen=True)
class Entry:
    """A job and whom it is for. `take` is the id of the take and of the job; `blend` is "" for a file never saved.

    `structure` and `structure_strip` are what laid out the shot, "" in entries of an older version.
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

    @property
    def timing(self) -> Timing:
        return Timing(self.length, self.fps, self.hold, self.scene_fps)


class Ledger:
    """The entries in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, entry: Entry) -> None:
        """Remember a job, or what has changed about it."""
        self._folder.mkdir(parents=True, exist_ok=True)
        part = self._folder / f".{entry.take}.part"
        part.write_text(json.dumps(dataclasses.asdict(entry), indent=1), encoding="utf-8")
        part.replace(self._path(entry.take))

    def strike(self, take: str) -> None:
        """Forget a job that has ended."""
        self._path(take).unlink(missing_ok=True)

    def entries(self) -> list[Entry]:
        """Every job under way. A file that is none of ours is passed over."""
        found = []
        for path in sorted(self._folder.glob("*.json")):
            try:
                found.append(Entry(**json.loads(path.read_text(encoding="utf-8"))))
            except (OSError, ValueError, TypeError):
                continue
        return found

    def _path(self, take: str) -> Path:
        return self._folder / f"{take}.json"
