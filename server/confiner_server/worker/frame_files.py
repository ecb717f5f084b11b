# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames of one job on the disk: which of them are as they should be, and how one gets there."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from confiner_blender.protocol.errors import InvalidRequest, UnusablePlace
from confiner_blender.protocol.private_files import read_private
from confiner_server.jobs.job_folders import claim, frame_path, write_whole
from confiner_server.jobs.png_check import png_size
from confiner_server.problems import FramesLost, NotReproducible
from confiner_server.supervision.worker_messages import RunJob

log = logging.getLogger(__name__)


class Frames:
    """Knows the hash of every frame that a client may have, and of every one written in this run.

    A frame is whole if its file has that hash; one that was written by an earlier run and never told is whole if it is
    a PNG file of the clip's size with nothing cut off.
    """

    def __init__(self, job: RunJob) -> None:
        self._folder = Path(job.folder)
        self._count = job.request.num_frames
        self._size = (job.request.width, job.request.height)
        self._hashes = {int(frame): sha256 for frame, sha256 in job.announced.items()}

    def whole(self, frame: int) -> bool:
        """Whether the frame is on the disk, as it was announced if it was."""
        try:
            png = read_private(frame_path(self._folder, frame))
            expected = self._hashes.get(frame)
            return png_size(png) == self._size if expected is None else _hash(png) == expected
        except (OSError, UnusablePlace, InvalidRequest):
            return False

    def lost(self, before: int | None = None) -> list[int]:
        """Of the first frames, or of all, those that are not whole."""
        found = [frame for frame in range(self._count if before is None else before) if not self.whole(frame)]
        if found:
            log.warning("frames %s are missing or damaged, they are made again", found)
        return found

    def untold(self, before: int) -> Iterable[int]:
        """Of the first frames, those that are whole and that no client knows of: their writer was killed in between."""
        return [frame for frame in range(before) if frame not in self._hashes and self.whole(frame)]

    def put(self, frame: int, png: bytes) -> str:
        """Write a frame and return the hash under which it is known; one that clients have and that is whole stays.

        Raises:
            NotReproducible: it was announced, has to be replaced, and is another now. The file is left as it was.
        """
        sha256, known = _hash(png), self._hashes.get(frame)
        if known is not None and self.whole(frame):
            return known
        if known not in (None, sha256):
            raise NotReproducible(frame)
        self._hashes[frame] = sha256
        write_whole(frame_path(claim(self._folder), frame), png)
        return sha256

    def check(self) -> None:
        """Refuse to call the job finished while a frame of it is not whole.

        Raises:
            FramesLost: one is not.
        """
        if lost := self.lost():
            raise FramesLost(lost, self._folder)


def _hash(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()
