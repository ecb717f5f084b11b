# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that the installation runs: what they say is passed on line by line, and they end when they are told to."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from ..protocol.messages import Problem
from .child_process import DETACHED, clean_environment
from .errors import ClientError, Hop, Stopped

KEPT_LINES = 40

Hear = Callable[[str], None]


def run(words: list[str], hear: Hear, stop: threading.Event) -> None:
    """Run a program that must succeed.

    Raises:
        ClientError: it did not.
        Stopped: `stop` was set.
    """
    status, lines = spoken(words, hear, stop)
    if status != 0:
        raise failed(words, status, lines)


def spoken(
    words: list[str], hear: Hear, stop: threading.Event, environment: Mapping[str, str] = MappingProxyType({})
) -> tuple[int, list[str]]:
    """Run a program, pass on each line it says, and return its status and last lines. It ends when `stop` is set.

    `environment` are variables to set for it beside those of this process.

    Raises:
        ClientError: it cannot be run at all.
        Stopped: `stop` was set.
    """
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={**clean_environment(), **environment},
            creationflags=DETACHED,
        )
    except OSError as error:
        message = f"{words[0]} cannot be run: {error.strerror or error}"
        raise ClientError(
            Hop.INTERPRETER, Problem("no-interpreter", message, "remove the sidecar, then install it")
        ) from error
    ended = threading.Event()
    watch = threading.Thread(target=_end_when, args=(process, stop, ended), name="confiner-watch", daemon=True)
    watch.start()
    lines: list[str] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines = [*lines[-KEPT_LINES:], line.rstrip()]
            hear(lines[-1])
    ended.set()
    watch.join()
    if stop.is_set():
        raise Stopped
    return process.returncode, lines


def _end_when(process: subprocess.Popen[str], stop: threading.Event, ended: threading.Event) -> None:
    """Reading a line cannot be interrupted; the end of the one who would say it can be brought about."""
    while not ended.wait(0.1):
        if stop.is_set():
            process.kill()
            return


def failed(words: list[str], status: int, lines: list[str]) -> ClientError:
    """What a program's end with a bad status is to the user."""
    said = " ".join(words[1:4])
    message = f"{said} ended with status {status}: {lines[-1] if lines else 'it said nothing'}"
    remedy = "read its last lines; once that is mended, install again, and it goes on where it was"
    return ClientError(Hop.INTERPRETER, Problem("install-failed", message, remedy), "\n".join(lines))
