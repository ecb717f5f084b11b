# SPDX-License-Identifier: GPL-3.0-or-later
"""How long to wait before the next try, and how often a sidecar that keeps ending is started again."""

from __future__ import annotations

import time
from collections.abc import Callable

DELAYS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before the first, second, … try after a success; the last one stays."""
STARTS = 3
PERIOD = 600.0
"""At most `STARTS` starts in `PERIOD` seconds, unless somebody asks."""
REFUSALS = 3
"""A connection file counts as stale after so many refused connections in a row, though a process has its id."""


class Patience:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._starts: list[float] = []

    def delay(self) -> float:
        """Seconds to wait after one more failure."""
        delay = DELAYS[min(self._failures, len(DELAYS) - 1)]
        self._failures += 1
        return delay

    def may_start(self) -> bool:
        return sum(self._clock() - start < PERIOD for start in self._starts) < STARTS

    def started(self) -> None:
        self._starts = [*self._starts[-STARTS:], self._clock()]

    def succeeded(self) -> None:
        """A connection stands. Starts are still counted: a sidecar may fall over whatever it is given to do."""
        self._failures = 0

    def renew(self) -> None:
        """Somebody asked for another try."""
        self._failures = 0
        self._starts.clear()
