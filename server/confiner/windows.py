# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames are refined together (staggered refinement, and windows whose offset rotates from step to step).

Where windows stay where they are, seams grow at their joints; a new offset at every step leaves none. Offsets fall
from step to step, so that a frame needs few frames ahead of it; they depend on the step alone, never on the length;
and they are never 0, where the joints of the structure lie.

The first and the last window are cut off by the shot's ends. The paper refines what is left of them as it is; here
they may also see as many frames as every other one, inwards, and keep only their own (`whole`).
"""

from __future__ import annotations

from collections.abc import Sequence
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


def window_from(first: int, offset: int, span: int, length: int, *, whole: bool = True) -> Window:
    """The window that keeps frames from `first` on, of a shot of `length` frames.

    Windows begin at `offset`, `offset + span`, …; those at the shot's ends see `span` frames if they are to be `whole`.
    """
    if length <= span:
        return Window(0, length, 0, length)
    last = min(length, first + span - (first - offset) % span)
    start = offset + (first - offset) // span * span
    if whole:
        start = max(0, min(start, length - span))
    return Window(max(0, start), min(length, start + span), first, last)


def windows(offset: int, span: int, length: int, *, until: int | None = None, whole: bool = True) -> list[Window]:
    """The windows of one step, in order, `until` this frame is kept (all of them if None); each frame is kept once."""
    found = [window_from(0, offset, span, length, whole=whole)]
    while found[-1].last < (length if until is None else until):
        found.append(window_from(found[-1].last, offset, span, length, whole=whole))
    return found


def settled(offsets: Sequence[int], span: int, length: int, *, whole: bool = True) -> int:
    """How many frames of a shot of `length` come out as in any longer one, with windows at `offsets` step by step.

    A window at the shot's end would lie elsewhere in a longer one, and whatever sees a frame of it at a later step is
    changed too: in a shot of 28 frames or more, that is the last 12 to 27 with windows of 16 frames in 5 rotating
    steps, and at most the last 15 with fixed ones.
    """
    end = length
    for offset in offsets:
        kept = 0
        for window in windows(offset, span, length, whole=whole):
            endless = window_from(window.first, offset, span, length + 2 * span, whole=whole)
            if window != endless or window.end > end:
                break
            kept = window.last
        end = kept
    return end
