# SPDX-License-Identifier: GPL-3.0-or-later
"""One piece of work on a thread of its own, which tells the main thread about itself and can be stopped.

Threads: the main thread starts, stops and reads `inbox`; the work runs on the task's thread and speaks through `post`.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ..protocol.messages import Problem
from .errors import ClientError, Hop, Stopped, unexpected

Report = TypeVar("Report")
Work = Callable[[Callable[[Report], None], threading.Event], None]
"""What a task runs: it is given a way to report and the event that asks it to stop, after which it raises Stopped."""


@dataclass(frozen=True)
class Done:
    """The work is finished. The last message."""


@dataclass(frozen=True)
class GaveUp:
    """The work came to an end before its time: at `hop` if that is known, because of `problem`, None if it was stopped.

    The last message.
    """

    problem: Problem | None = None
    log_tail: str = ""
    hop: Hop | None = None


class Task(Generic[Report]):
    def __init__(self, name: str, work: Work[Report]) -> None:
        self.inbox: queue.SimpleQueue[Report | Done | GaveUp] = queue.SimpleQueue()
        self._work = work
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, patience: float = 5.0) -> None:
        """Ask the work to stop and wait for it, at most `patience` seconds."""
        self._stopping.set()
        self._thread.join(patience)

    def _run(self) -> None:
        try:
            self._work(self.inbox.put, self._stopping)
        except Stopped:
            self.inbox.put(GaveUp())
        except ClientError as error:
            self.inbox.put(GaveUp(error.problem, error.log_tail, error.hop))
        except Exception as error:  # noqa: BLE001  a thread that died would leave the panel waiting for ever
            self.inbox.put(GaveUp(*unexpected(error)))
        else:
            self.inbox.put(Done())
