# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a job, and how they are written: whole or not at all, so that a kill leaves nothing half done.

<jobs folder>/<job id>/structure/0000.png   frames that came with the request
                       frames/0000.png      finished frames
                       checkpoint           where the worker goes on after an interruption
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path


class JobFolders:
    """Names and writes the files of jobs; knows nothing of what they mean."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root

    def folder(self, job_id: str) -> Path:
        return self.root / job_id

    def frame(self, job_id: str, frame: int) -> Path:
        return frame_path(self.folder(job_id), frame)

    def store_structure(self, job_id: str, frame: int, png: bytes) -> None:
        write_whole(structure_path(self.folder(job_id), frame), png)

    def structure_count(self, job_id: str) -> int:
        return len(list(structure_path(self.folder(job_id), 0).parent.glob("*.png")))

    def size(self, job_id: str) -> int:
        """Bytes that a job's files take."""
        total = 0
        for path in self.folder(job_id).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # a worker that has yet to stop renames what it has written
                total += path.lstat().st_size
        return total

    def remove(self, job_id: str) -> None:
        shutil.rmtree(self.folder(job_id), ignore_errors=True)

    def present(self) -> list[str]:
        """Ids of all jobs that have a folder."""
        return sorted(path.name for path in self.root.iterdir())


def structure_path(folder: Path, frame: int) -> Path:
    return folder / "structure" / f"{frame:04d}.png"


def frame_path(folder: Path, frame: int) -> Path:
    return folder / "frames" / f"{frame:04d}.png"


def checkpoint_path(folder: Path) -> Path:
    return folder / "checkpoint"


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` so that `path` holds the old or the new content at every moment, and the new one afterwards."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = unfinished_path(path)
    with open(unfinished, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(unfinished, path)


def unfinished_path(path: Path) -> Path:
    """A name in the same folder, of this process alone: a worker may still be dying when its successor writes."""
    return path.with_name(f"{path.name}.{os.getpid()}.part")
