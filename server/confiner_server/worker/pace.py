# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a clip still takes: judged by the steps that were timed, in this clip and in earlier ones of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Pace:
    """Keeps, per kind of clip, the seconds a model evaluation took; `kind` is what decides that (chain and size).

    The first step after a start is not counted: it pays for caches and for code that is loaded late.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: dict[Hashable, float] = {}
        self._kind: Hashable = None
        self._done = 0
        self._timed_from: tuple[float, int] | None = None

    def start(self, kind: Hashable, evaluations: int) -> None:
        """A clip starts, or goes on after that many evaluations."""
        self._kind, self._done, self._timed_from = kind, evaluations, None

    def seconds_left(self, evaluations: int, total: int) -> float | None:
        """Seconds until `total` evaluations are done, now that `evaluations` are; None while nothing was timed."""
        now = self._clock()
        if evaluations > self._done:
            self._done = evaluations
            if self._timed_from is None:
                self._timed_from = now, evaluations
            else:
                moment, first = self._timed_from
                self._seconds[self._kind] = (now - moment) / (evaluations - first)
        each = self._seconds.get(self._kind)
        return None if each is None else (total - evaluations) * each
