# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a clip still takes: judged by the steps that were timed, in this clip and in earlier ones of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable


class Pace:
    """Keeps, per kind of clip, the seconds a model evaluation took; `kind` is what decides that (chain and size)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: dict[Hashable, float] = {}
        self._kind: Hashable = None
        self._began = self._last = 0.0
        self._first = self._evaluations = 0

    def start(self, kind: Hashable, evaluations: int) -> None:
        """A clip starts, or goes on after that many evaluations."""
        self._kind = kind
        self._began = self._last = self._clock()
        self._first = self._evaluations = evaluations

    def seconds_left(self, evaluations: int, total: int) -> float | None:
        """Seconds until `total` evaluations are done, now that `evaluations` are; None while nothing was timed."""
        now = self._clock()
        done = evaluations - self._first
        if evaluations > self._evaluations:
            self._last, self._evaluations = now, evaluations
            self._seconds[self._kind] = (now - self._began) / done
        each = self._seconds.get(self._kind)
        return None if each is None else max(0.0, (total - evaluations) * each - (now - self._last))
