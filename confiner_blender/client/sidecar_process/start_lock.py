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
        Stopped: `stop` was set while waiting.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    deadline = time.monotonic() + patience
    with path.open("a+b") as file:
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
