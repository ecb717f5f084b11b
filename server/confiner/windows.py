# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames are refined together (staggered refinement, and windows whose offset rotates from step to step).

Where windows stay where they are, seams grow at their joints; a new offset at every step leaves none. Offsets fall
from step to step, so that a frame needs few frames ahead of it; they depend on the step alone, never on the length;
and they are never 0, where the joints of the structure lie.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Frames `start` to `end` are seen together, of which `first` to `last` are kept (ends exclusive)."""

    start: int
    end: int
    first: int
    last: int

    @property
    def frames(self) -> range:
        return range(self.start, self.end)


def rotating_offset(step: int, steps: int, span: int) -> int:
    """The windows' offset at `step`: for 5 steps and windows of 16 frames 8, 5, 2, 15, 12."""
    stride = max(1, span // steps)
    offset = span // 2
    for _ in range(step):
        offset = (offset - stride) % span or span - 1
    return offset


def window_from(first: int, offset: int, span: int, length: int) -> Window:
    """The window that keeps frames from `first` on, of a shot of `length` frames.

    Windows begin at `offset`, `offset + span`, …; those at the shot's ends see `span` frames like every other one,
    and keep only their own.
    """
    if length <= span:
        return Window(0, length, 0, length)
    last = min(length, first + span - (first - offset) % span)
    start = max(0, min(offset + (first - offset) // span * span, length - span))
    return Window(start, min(length, start + span), first, last)


def windows(offset: int, span: int, length: int) -> list[Window]:
    """All windows of one step, in order; together they keep every frame once."""
    found = [window_from(0, offset, span, length)]
    while found[-1].last < length:
        found.append(window_from(found[-1].last, offset, span, length))
    return found
