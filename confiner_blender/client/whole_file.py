# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are whole or not there: written beside their place, synced, and renamed into it."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path

from ..protocol.messages import Problem


class NotStored(Exception):
    """Something could not be stored; `again` is whether to ask the sidecar for it once more."""

    def __init__(self, problem: Problem, *, again: bool = False) -> None:
        super().__init__(problem.message)
        self.problem = problem
        self.again = again


def write(path: Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all, making the folder where it is missing.

    Raises:
        NotStored: the disk does not take it. The folder is as it was before.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        # On a full or unwritable disk even this may fail; the first error is the one to tell.
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise NotStored(_problem(path, error)) from error


def _problem(path: Path, error: OSError) -> Problem:
    reason = error.strerror or str(error)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        message = f"no space left for {path.name} in {path.parent}"
        return Problem("disk-full", message, "free some space, then resume the shot: what was generated is kept")
    message = f"{path.name} cannot be written in {path.parent}: {reason}"
    return Problem("folder", message, "make the folder writable or choose another one, then resume the shot")
