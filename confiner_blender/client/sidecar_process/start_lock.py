# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock that lets one process at a time start a sidecar. The system lets go of it when its holder dies."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from ...protocol.messages import Problem
from ...protocol.private_files import open_private, private_folder
from ..errors import ClientError, Hop, Stopped

if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: BinaryIO) -> bool:
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(file: BinaryIO) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(file: BinaryIO) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)


@contextlib.contextmanager
def start_lock(path: Path, stop: threading.Event, patience: float) -> Iterator[None]:
    """Hold the lock on `path` for the block.

    Raises:
        ClientError: somebody else held it for more than `patience` seconds.
        UnusablePlace: its folder or file is a link, or another user's.
        Stopped: `stop` was set while waiting.
    """
    private_folder(path.parent)
    deadline = time.monotonic() + patience
    with open(path, "a+b", opener=open_private) as file:
        while not _try_lock(file):
            if time.monotonic() > deadline:
                message = f"another Blender has been starting the sidecar for more than {patience:.0f} s"
                raise ClientError(
                    Hop.START, Problem("start-locked", message, "close the other Blender, then try again")
                )
            if stop.wait(0.05):
                raise Stopped
        try:
            yield
        finally:
            _unlock(file)
