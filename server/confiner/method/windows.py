# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames are refined together (staggered refinement, and windows whose offset rotates from step to step).

Where windows stay where they are, seams grow at their joints; a new offset at every step leaves none. Offsets fall
from step to step, so that a frame needs few frames ahead of it; they depend on the step alone, never on the length;
and they are never 0, where the joints of the structure lie.

Nothing comes after the last step, so that its joints would show. There windows may overlap by half: either side of a
joint has then been seen with the frames on the other side.

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


@dataclass(frozen=True)
class Layout:
    """How the windows of one step lie: each sees `span` frames and keeps the middle `stride` of them.

    What they keep begins at `offset`, `offset + stride`, …. At the shot's ends windows see `span` frames if they are to
    be `whole`, else what is left.
    """

    offset: int
    span: int
    stride: int
    whole: bool = True

    def window_from(self, first: int, length: int) -> Window:
        """The window that keeps frames from `first` on, of a shot of `length` frames."""
        if length <= self.span:
            return Window(0, length, 0, length)
        kept = self.offset + (first - self.offset) // self.stride * self.stride
        start = kept - (self.span - self.stride) // 2
        if self.whole:
            start = max(0, min(start, length - self.span))
        return Window(max(0, start), min(length, start + self.span), first, min(length, kept + self.stride))

    def windows(self, length: int, *, until: int | None = None) -> list[Window]:
        """All windows, in order, `until` this frame is kept (the last if None); each frame is kept once."""
        found = [self.window_from(0, length)]
        while found[-1].last < (length if until is None else until):
            found.append(self.window_from(found[-1].last, length))
        return found


def frames_unchanged_by_length(layouts: Sequence[Layout], length: int) -> int:
    """How many frames of a shot of `length` come out as in any longer one, with windows laid out so step by step.

    A window at the shot's end would lie elsewhere in a longer one, and whatever sees a frame of it at a later step is
    changed too: with windows of 16 frames in 5 rotating steps the last 20 to 35, in the paper's setting the last 8.
    """
    end = length
    for layout in layouts:
        kept = 0
        for window in layout.windows(length):
            if window != layout.window_from(window.first, length + 2 * layout.span) or window.end > end:
                break
            kept = window.last
        end = kept
    return end
