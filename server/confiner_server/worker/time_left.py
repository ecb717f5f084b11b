# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a clip still takes: judged by what was timed, in this clip and in earlier ones of its kind."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field


@dataclass
class _Timed:
    """What pieces of one sort took in the clip under way, and what one takes as far as is known, by kind of clip."""

    seconds: float = 0.0
    pieces: int = 0
    each: dict[Hashable, float] = field(default_factory=dict)

    def forget(self) -> None:
        self.seconds, self.pieces = 0.0, 0

    def add(self, kind: Hashable, seconds: float, pieces: int) -> None:
        self.seconds += seconds
        self.pieces += pieces
        self.each[kind] = self.seconds / self.pieces


class Pace:
    """Keeps, per kind of clip, the seconds of a model evaluation and of a frame's delivery, which is mostly decoding.

    `kind` is what decides them (chain and size). The time between two calls is what the second one reports. The first
    step after a start is not counted: it pays for caches and for code that is loaded late.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._evaluations, self._frames = _Timed(), _Timed()
        self._kind: Hashable = None
        self._done = 0
        self._warm = False
        self._last = clock()

    def start(self, kind: Hashable, evaluations: int) -> None:
        """A clip starts, or goes on after that many evaluations."""
        self._kind, self._done, self._warm = kind, evaluations, False
        self._evaluations.forget()
        self._frames.forget()
        self._last = self._clock()

    def delivered(self, frames: int) -> None:
        """So many more frames are decoded and on disk."""
        self._frames.add(self._kind, self._since_last(), frames)

    def seconds_left(self, evaluations: int, total: int, frames_left: int = 0) -> float | None:
        """Seconds until `total` evaluations are done and `frames_left` delivered, now that `evaluations` are done.

        None while no evaluation was timed; without deliveries while none of them was.
        """
        elapsed, new = self._since_last(), evaluations - self._done
        if new > 0:
            if self._warm:
                self._evaluations.add(self._kind, elapsed, new)
            self._done, self._warm = evaluations, True
        each = self._evaluations.each.get(self._kind)
        if each is None:
            return None
        return (total - evaluations) * each + frames_left * self._frames.each.get(self._kind, 0.0)

    def _since_last(self) -> float:
        now = self._clock()
        self._last, before = now, self._last
        return now - before
