# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows: each step keeps every frame once, none is a stub, and few frames ahead are needed."""

from __future__ import annotations

import pytest
from confiner.windows import Window, rotating_offset, window_from, windows


def test_offsets_fall_and_never_meet_a_joint() -> None:
    assert [rotating_offset(step, 5, 16) for step in range(5)] == [8, 5, 2, 15, 12]
    for steps in range(1, 41):
        offsets = [rotating_offset(step, steps, 16) for step in range(steps)]
        assert all(0 < offset < 16 for offset in offsets)
        assert len(set(offsets)) == min(steps, 15)


@pytest.mark.parametrize("length", [1, 7, 15, 16, 17, 24, 31, 33, 100])
@pytest.mark.parametrize("offset", [8, 5, 2, 15, 12])
def test_every_frame_is_kept_once_and_seen_in_a_whole_window(offset: int, length: int) -> None:
    found = windows(offset, 16, length)
    assert [frame for window in found for frame in range(window.first, window.last)] == list(range(length))
    for window in found:
        assert window.end - window.start == min(16, length)
        assert 0 <= window.start <= window.first < window.last <= window.end <= length


def test_a_shot_of_one_window_has_one() -> None:
    assert windows(5, 16, 16) == [Window(0, 16, 0, 16)]
    assert windows(5, 16, 3) == [Window(0, 3, 0, 3)]


def test_windows_do_not_depend_on_what_lies_far_ahead() -> None:
    for offset in range(1, 16):
        longer = windows(offset, 16, 200)
        shorter = [window for window in windows(offset, 16, 64) if window.end < 64 - 16]
        assert longer[: len(shorter)] == shorter
        assert len(shorter) >= 2


def test_the_first_frames_need_few_frames_ahead() -> None:
    """Frames needed to finish frame `frame`, walking the steps backwards."""

    def needed(frame: int) -> int:
        last = frame
        for step in reversed(range(5)):
            offset = rotating_offset(step, 5, 16)
            found = window_from(0, offset, 16, 10_000)
            while found.last <= last:
                found = window_from(found.last, offset, 16, 10_000)
            last = found.end - 1
        return last + 1

    assert needed(0) == 40
    assert max(needed(frame) - frame for frame in range(16, 200)) <= 44
