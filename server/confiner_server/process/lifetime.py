# SPDX-License-Identifier: GPL-3.0-or-later
"""When a sidecar ends by itself: the rule, and how the process it belongs to is watched."""

from __future__ import annotations

import os
import select
import sys
from collections.abc import Callable


class Lifetime:
    """Alive while a client is attached, and `grace` seconds after the last one left (or after the start).

    With a parent that is gone there is nobody to wait for, and the grace time is nought. `stay` overrides both.
    Does no I/O: it is told the time (seconds, monotonic) and asked.
    """

    def __init__(self, grace: float, stay: bool, now: float) -> None:
        self._grace = grace
        self._stay = stay
        self._clients = 0
        self._alone_since = now

    def attached(self) -> None:
        self._clients += 1

    def detached(self, now: float) -> None:
        self._clients -= 1
        self._alone_since = now

    def is_over(self, now: float, parent_alive: bool) -> bool:
        if self._stay or self._clients:
            return False
        return not parent_alive or now - self._alone_since >= self._grace


def watch_process(pid: int | None) -> Callable[[], bool]:
    """A function that says whether process `pid` still lives; without one it always does."""
    if pid is None:
        return lambda: True
    if sys.platform == "win32":
        return _watch_windows(pid)
    if sys.platform == "linux":
        return _watch_linux(pid)

    def alive() -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True

    return alive


if sys.platform == "linux":

    def _watch_linux(pid: int) -> Callable[[], bool]:
        """A pid descriptor sees through a number that was given to another process, and sees a zombie as dead."""
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            return lambda: False
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        return lambda: not poll.poll(0)


if sys.platform == "win32":

    def _watch_windows(pid: int) -> Callable[[], bool]:
        import ctypes

        synchronize, timed_out = 0x00100000, 0x102
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(synchronize, False, pid)
        if not handle:
            return lambda: False
        return lambda: bool(kernel.WaitForSingleObject(handle, 0) == timed_out)
