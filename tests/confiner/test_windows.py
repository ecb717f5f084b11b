# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows: each step keeps every frame once, none is a stub, and few frames ahead are needed."""

from __future__ import annotations

import pytest
from confiner.method.windows import Layout, Window, frames_unchanged_by_length, rotating_offset


def test_offsets_fall_and_never_meet_a_joint() -> None:
    assert [rotating_offset(step, 5, 16) for step in range(5)] == [8, 5, 2, 15, 12]
    for steps in range(1, 41):
        offsets = [rotating_offset(step, steps, 16) for step in range(steps)]
        assert all(0 < offset < 16 for offset in offsets)
        assert len(set(offsets)) == min(steps, 15)


@pytest.mark.parametrize("stride", [16, 8])
@pytest.mark.parametrize("length", [1, 7, 15, 16, 17, 24, 31, 33, 100])
@pytest.mark.parametrize("offset", [8, 5, 2, 15, 12])
def test_every_frame_is_kept_once_and_seen_in_a_whole_window(offset: int, length: int, stride: int) -> None:
    found = Layout(offset, 16, stride).windows(length)
    assert [frame for window in found for frame in range(window.first, window.last)] == list(range(length))
    for window in found:
        assert window.end - window.start == min(16, length)
        assert 0 <= window.start <= window.first < window.last <= window.end <= length


def test_windows_that_overlap_keep_their_middle() -> None:
    found = Layout(12, 16, 8).windows(64)
    assert found[:3] == [Window(0, 16, 0, 4), Window(0, 16, 4, 12), Window(8, 24, 12, 20)]
    for window in found[1:-2]:
        assert (window.first - window.start, window.end - window.last) == (4, 4)


def test_a_shot_of_one_window_has_one() -> None:
    for stride in (16, 8):
        assert Layout(5, 16, stride).windows(16) == [Window(0, 16, 0, 16)]
        assert Layout(5, 16, stride).windows(3) == [Window(0, 3, 0, 3)]


@pytest.mark.parametrize("stride", [16, 8])
def test_windows_do_not_depend_on_what_lies_far_ahead(stride: int) -> None:
    for offset in range(1, 16):
        layout = Layout(offset, 16, stride)
        longer = layout.windows(200)
        shorter = [window for window in layout.windows(64) if window.end < 64 - 16]
        assert longer[: len(shorter)] == shorter
        assert len(shorter) >= 2


def test_the_first_frames_need_few_frames_ahead() -> None:
    """Frames needed to finish frame `frame`, walking the steps backwards."""
    layouts = [Layout(rotating_offset(step, 5, 16), 16, 8 if step == 4 else 16) for step in range(5)]

    def needed(frame: int) -> int:
        last = frame
        for layout in reversed(layouts):
            last = next(window for window in layout.windows(10_000, until=last + 1) if window.last > last).end - 1
        return last + 1

    assert needed(0) == 40
    assert max(needed(frame) - frame for frame in range(16, 200)) <= 44


def test_few_frames_at_a_shots_end_are_open() -> None:
    rotating = [Layout(rotating_offset(step, 5, 16), 16, 8 if step == 4 else 16) for step in range(5)]
    assert {length - frames_unchanged_by_length(rotating, length) for length in range(40, 200)} <= set(range(20, 36))
    papers = [Layout(8, 16, 16, whole=False)] * 5
    assert {length - frames_unchanged_by_length(papers, length) for length in range(48, 200, 16)} == {8}
