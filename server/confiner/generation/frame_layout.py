# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a shot are made together: segments of the structure, windows of every refinement step.

Numbers alone, without tensors. Frames count from the first that is made, which with `edges = "drop"` comes `lead_in`
frames before the first that is delivered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from ..method.windows import Layout, Window, frames_unchanged_by_length, rotating_offset
from .plan import Plan


@dataclass(frozen=True)
class FrameLayout:
    """How a shot of `num_frames` delivered frames is cut up.

    `segment_frames` become structure together: a segment of the control expert, or a slice of the viewport's frames
    where `from_structure`. `window_frames` are refined together.
    """

    num_frames: int
    from_structure: bool
    segment_frames: int
    window_frames: int
    plan: Plan

    @property
    def lead_in(self) -> int:
        """Frames made before the first that is delivered."""
        return self.window_frames // 2 if self.plan.edges == "drop" else 0

    @property
    def length(self) -> int:
        """Frames that windows are laid over. A clip from text is never shorter than what its experts were trained on.

        Where halves of windows are refined as they are, the last one is a half too, so that windows fill the length.
        """
        if self.from_structure:
            return self.num_frames
        if self.plan.edges == "whole":
            return max(self.num_frames, min(self.window_frames, self.segment_frames))
        halves = {"keep": 0, "drop-tail": 1, "drop": 2}[self.plan.edges]
        windows = math.ceil((self.num_frames + halves * self.window_frames // 2) / self.window_frames)
        return windows * self.window_frames

    @cached_property
    def needed(self) -> tuple[int, ...]:
        """The end of the frames that each level must come to: level 0 is the structure, the last level is delivered."""
        ends = [self.lead_in + self.num_frames]
        for step in reversed(range(self.plan.refine_steps)):
            ends.append(self.window_from(step, ends[-1] - 1).end)
        return tuple(reversed(ends))

    @property
    def unchanged_by_length(self) -> int:
        """How many of the delivered frames a longer shot with the same settings begins with."""
        end = frames_unchanged_by_length([self.windows_of(step) for step in range(self.plan.refine_steps)], self.length)
        return min(self.num_frames, max(0, end - self.lead_in))

    @property
    def segments(self) -> int:
        """How many segments the structure has."""
        return math.ceil(self.needed[0] / self.segment_frames)

    def batch_from(self, segment: int) -> range:
        """The segments that go through the control expert together with `segment`, which is the first of them."""
        return range(segment, min(self.segments, segment + self.plan.segment_batch))

    def windows_of(self, step: int) -> Layout:
        """How the windows of a refinement step lie."""
        last = step == self.plan.refine_steps - 1
        stride = self.window_frames // 2 if last and self.plan.overlap else self.window_frames
        return Layout(self._offset(step), self.window_frames, stride, self.plan.edges == "whole")

    def window_from(self, step: int, frame: int) -> Window:
        """The window of a refinement step that keeps frames from `frame` on."""
        return self.windows_of(step).window_from(frame, self.length)

    def windows(self, step: int) -> list[Window]:
        """The windows of a refinement step that are needed, in order."""
        return self.windows_of(step).windows(self.length, until=self.needed[step + 1])

    def _offset(self, step: int) -> int:
        if self.plan.windows != "rotating":
            return self.window_frames // 2 if self.plan.windows == "fixed" else 0
        return rotating_offset(step, self.plan.refine_steps, self.window_frames)

    @cached_property
    def steps(self) -> tuple[int, int]:
        """Steps of the whole shot: of the control stage (a batch of segments counts once) and of the refinement."""
        batches = math.ceil(self.segments / self.plan.segment_batch)
        control = 0 if self.from_structure else batches * self.plan.control_steps
        return control, sum(len(self.windows(step)) for step in range(self.plan.refine_steps))
