# SPDX-License-Identifier: GPL-3.0-or-later
"""How a sidecar shows that it is there: the lock it holds as long as it lives, its connection file, its readiness line.

The lock is what makes one sidecar out of two starts: the second finds it held and announces the first. The system
frees it however its holder ends, so it never has to be cleaned up, and the file is never deleted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import IO

from confiner_blender.protocol import rendezvous
from confiner_blender.protocol.errors import MalformedMessage, UnusablePlace
from confiner_blender.protocol.private_files import (
    check_file,
    close_to_others,
    open_private,
    private_folder,
    read_private,
    write_whole,
)
from confiner_blender.protocol.rendezvous import Connection

START_SECONDS = 10.0
"""How long a start waits for another one that is under way, or for a sidecar that is just ending."""


class StartFailed(Exception):
    """No sidecar could be started, and none was found."""

    remedy = "look into the sidecar's log; end a sidecar that hangs by its process id, which its lock file holds"


def acquire() -> IO[str] | Connection:
    """The held lock of this user's one sidecar, or where to find the one that runs already.

    Raises:
        StartFailed: somebody holds the lock and does not come up.
        UnusablePlace: a file of the runtime folder, or the folder itself, is a link or another user's.
    """
    close_to_others(private_folder(rendezvous.runtime_folder()))
    check_file(rendezvous.connection_file())
    lock = open(rendezvous.run_lock(), "a+", encoding="ascii", opener=open_private)  # noqa: SIM115 - held for life
    deadline = time.monotonic() + START_SECONDS
    while not _try_lock(lock):
        running = read_connection()
        if running is not None and running.pid == _holder():
            lock.close()
            return running
        if time.monotonic() > deadline:
            lock.close()
            raise StartFailed(f"process {_holder()} holds {rendezvous.run_lock()} and says nowhere how to reach it")
        time.sleep(0.05)
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _holder() -> int | None:
    try:
        return int(rendezvous.run_lock().read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None  # just being written


if sys.platform == "win32":
    import msvcrt

    def _try_lock(file: IO[str]) -> bool:
        file.seek(1 << 20)  # beyond the text, which others have to be able to read
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:
    import fcntl

    def _try_lock(file: IO[str]) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def read_connection() -> Connection | None:
    """What the connection file says, if there is one of this user's; its sidecar may be gone."""
    try:
        return rendezvous.read_text(read_private(rendezvous.connection_file()).decode("utf-8", errors="replace"))
    except (FileNotFoundError, MalformedMessage, UnusablePlace):
        return None


def show(connection: Connection) -> None:
    """Write the connection file, readable by this user only."""
    write_whole(rendezvous.connection_file(), rendezvous.write_text(connection).encode("utf-8"))


def hide() -> None:
    """Remove the connection file; the caller holds the lock, so it is the caller's own."""
    Path(rendezvous.connection_file()).unlink(missing_ok=True)


def announce(connection: Connection) -> None:
    """Print the readiness line. Whoever started the sidecar may have closed the pipe already."""
    line = {"ready": True, "host": connection.host, "port": connection.port, "pid": connection.pid}
    try:
        print(json.dumps(line), flush=True)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter complains when it ends
