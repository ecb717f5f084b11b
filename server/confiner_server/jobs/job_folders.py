# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a job, and how they are written: whole or not at all, so that a kill leaves nothing half done.

<jobs folder>/<job id>/.confiner-job        the mark: the sidecar made this folder, for this job
                       structure/0000.png   frames that came with the request
                       frames/0000.png      finished frames
                       checkpoint           where the worker goes on after an interruption

Only what has one of these names, in a folder with its mark, is ever removed, and nothing through a link. Whatever else
lies there is somebody's, and is left.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import uuid
from collections.abc import Collection, Iterator
from pathlib import Path

from confiner_blender.protocol.errors import UnusablePlace
from confiner_blender.protocol.private_files import (
    close_to_others,
    is_own,
    is_real_folder,
    private_folder,
    read_private,
    unfinished_path,
    write_whole,
)

__all__ = ["JobFolders", "checkpoint_path", "claim", "frame_path", "structure_path", "unfinished_path", "write_whole"]

log = logging.getLogger(__name__)

MARK = ".confiner-job"
PICTURES = ("structure", "frames")
PICTURE_NAME = re.compile(r"\d{4,}\.png(\.\d+\.part)?")
OTHER_NAME = re.compile(r"checkpoint(\.\d+)?(\.part)?|\.confiner-job\.\d+\.part")


class JobFolders:
    """Names, makes and removes the folders of jobs; knows nothing of what their files mean."""

    def __init__(self, root: Path) -> None:
        """Make the folder of all jobs.

        Raises:
            UnusablePlace: it is a link, or another user's.
        """
        self.root = private_folder(root)

    def folder(self, job_id: str) -> Path:
        return self.root / job_id

    def frame(self, job_id: str, frame: int) -> Path:
        return frame_path(self.folder(job_id), frame)

    def make(self, job_id: str) -> Path:
        """A job's folder with its mark, made where it is not there.

        Raises:
            UnusablePlace: a link, a file or another user's folder is there instead.
        """
        private_folder(self.root)
        return claim(self.folder(job_id))

    def take_over(self, job_id: str) -> None:
        """Mark the folder of a job that an earlier release made, and close it to others."""
        folder = self.folder(job_id)
        if os.path.lexists(folder):
            try:
                self.make(job_id)
                for inside in (folder, *(folder / name for name in PICTURES)):
                    if inside.is_dir() and is_real_folder(inside.lstat()):
                        close_to_others(private_folder(inside))
            except (UnusablePlace, OSError) as error:
                log.warning("the folder of job %s is left alone: %s", job_id, error)

    def is_free(self, job_id: str) -> bool:
        """Whether a new job may use the name: nothing of another job is kept under it."""
        folder = self.folder(job_id)
        return not any(os.path.lexists(folder / name) for name in (*PICTURES, "checkpoint"))

    def store_structure(self, job_id: str, frame: int, png: bytes) -> None:
        write_whole(structure_path(self.folder(job_id), frame), png)

    def structure_count(self, job_id: str) -> int:
        return len(list(structure_path(self.folder(job_id), 0).parent.glob("*.png")))

    def size(self, job_id: str) -> int:
        """Bytes that a job's files take, but for the mark."""
        total, folder = 0, self.folder(job_id)
        if folder.is_symlink():
            return 0
        for place, _, names in os.walk(folder):  # which follows no links
            for name in set(names) - {MARK}:
                with contextlib.suppress(FileNotFoundError):  # a worker that has yet to stop renames what it wrote
                    total += os.lstat(os.path.join(place, name)).st_size
        return total

    def remove(self, job_id: str) -> bool:
        """Remove what the sidecar keeps of a job. Whether nothing is left; what is left is told in the log."""
        folder = self.folder(job_id)
        if not os.path.lexists(folder):
            return True
        if reason := self._foreign(folder):
            log.warning("left alone: %s %s", folder, reason)
            return False
        left = [path for name in PICTURES for path in _empty(folder / name, PICTURE_NAME)]
        left += _remove_files(folder, OTHER_NAME, besides={MARK})
        if not left:
            left += _remove_files(folder, re.compile(re.escape(MARK))) or _remove_folder(folder)
        for path in left:
            log.warning("left alone: %s, which is no file of job %s", path, job_id)
        return not left

    def strangers(self, known: Collection[str]) -> Iterator[tuple[Path, str]]:
        """What lies beside the folders of the `known` jobs, each with what it seems to be."""
        for path in sorted(self.root.iterdir()):
            if path.name not in known:
                yield path, self._foreign(path) or "holds a job that the journal does not know"

    def _foreign(self, folder: Path) -> str:
        """Why a folder is not one that the sidecar made for a job; empty if it is."""
        if not is_job_id(folder.name):
            return "has no job's name"
        if not is_real_folder(self.root.lstat()):
            return f"lies behind the link {self.root}"
        seen = folder.lstat()
        if not is_real_folder(seen):
            return "is a link or a file"
        if not is_own(seen):
            return "belongs to another user"
        return "" if _is_marked(folder) else "does not have the sidecar's mark"


def claim(folder: Path) -> Path:
    """Make a job's folder where it is not there, and mark it as the sidecar's.

    Raises:
        UnusablePlace: a link, a file or another user's folder is there instead.
    """
    if not _is_marked(private_folder(folder)):
        write_whole(folder / MARK, _mark(folder))
    return folder


def is_job_id(text: str) -> bool:
    """Whether it is a UUID in its usual spelling: an id names a folder and travels as 16 bytes."""
    try:
        return text == str(uuid.UUID(text))
    except ValueError:
        return False


def structure_path(folder: Path, frame: int) -> Path:
    return folder / "structure" / f"{frame:04d}.png"


def frame_path(folder: Path, frame: int) -> Path:
    return folder / "frames" / f"{frame:04d}.png"


def checkpoint_path(folder: Path) -> Path:
    return folder / "checkpoint"


def _mark(folder: Path) -> bytes:
    """It names its job, so that a copy of the folder under another name is not taken for the sidecar's."""
    return f"made by the ConFiner sidecar for the job {folder.name}\n".encode()


def _is_marked(folder: Path) -> bool:
    try:
        return read_private(folder / MARK) == _mark(folder)
    except (OSError, UnusablePlace):
        return False


def _empty(folder: Path, name: re.Pattern[str]) -> list[Path]:
    """Remove a folder with its files of that name; what is left of it."""
    if not os.path.lexists(folder):
        return []
    if not is_real_folder(folder.lstat()):
        return [folder]
    return _remove_files(folder, name) or _remove_folder(folder)


def _remove_files(folder: Path, name: re.Pattern[str], besides: Collection[str] = ()) -> list[Path]:
    """Remove the files of that name in `folder`; what else is there, `besides` what is to stay."""
    left = []
    for entry in list(os.scandir(folder)):
        if entry.name in besides:
            continue
        if not name.fullmatch(entry.name) or not entry.is_file(follow_symlinks=False):
            left.append(Path(entry.path))
            continue
        try:
            os.unlink(entry.path)
        except FileNotFoundError:
            pass  # a worker that has yet to stop has renamed it
        except OSError:
            left.append(Path(entry.path))
    return left


def _remove_folder(folder: Path) -> list[Path]:
    """Remove an empty folder; the folder itself where it cannot be."""
    try:
        folder.rmdir()
    except OSError:
        return [folder]
    return []
