# SPDX-License-Identifier: GPL-3.0-or-later
"""Which clip frame is seen on which frame of the timeline."""

import pytest

from confiner_blender.storyboard.clip_timing import (
    Timing,
    clip_frame,
    clip_span,
    first_offsets,
    hold_sentence,
    longest_length,
    num_frames,
    offset_of,
    speed,
    timeline_span,
)


def frames(timing: Timing) -> list[int]:
    return [clip_frame(timing, offset) for offset in range(timing.length)]


@pytest.mark.parametrize(
    ("hold", "expected"),
    [
        ("ONES", [0, 1, 2, 3, 4, 5, 6]),
        ("TWOS", [0, 0, 1, 1, 2, 2, 3]),
        ("THREES", [0, 0, 0, 1, 1, 1, 2]),
        ("RATE", [0, 0, 0, 1, 1, 1, 2]),
    ],
)
def test_each_clip_frame_is_held_as_the_animator_says(hold: str, expected: list[int]) -> None:
    assert frames(Timing(7, 8, hold, 24)) == expected


def test_a_rate_that_does_not_divide_the_scenes_keeps_its_speed() -> None:
    seen = frames(Timing(100, 8, "RATE", 25))
    assert seen == sorted(seen)
    assert seen[-1] + 1 == 32, "4 seconds at 8 fps"
    assert set(seen) == set(range(32)), "no frame is left out"


@pytest.mark.parametrize("scene_fps", [24, 25, 30, 24000 / 1001, 30000 / 1001, 12])
@pytest.mark.parametrize("fps", [6, 8, 12, 24])
def test_structure_is_captured_where_each_clip_frame_is_first_seen(fps: float, scene_fps: float) -> None:
    timing = Timing(71, fps, "RATE", scene_fps)
    offsets = first_offsets(timing)
    assert len(offsets) == num_frames(timing)
    assert [clip_frame(timing, offset) for offset in offsets] == list(range(len(offsets)))


def test_a_clip_faster_than_the_timeline_has_no_frames_that_nobody_sees() -> None:
    assert num_frames(Timing(24, 60, "RATE", 24)) == 24
    assert speed(Timing(24, 60, "RATE", 24)) == pytest.approx(0.4)


def test_a_shot_without_length_has_no_frames() -> None:
    assert num_frames(Timing(0, 8, "RATE", 24)) == 0


@pytest.mark.parametrize(("hold", "longest"), [("ONES", 16), ("TWOS", 32), ("THREES", 48), ("RATE", 48)])
def test_the_longest_shot_is_filled_to_its_last_frame(hold: str, longest: int) -> None:
    assert longest_length(Timing(200, 8, hold, 24), 16) == longest
    assert num_frames(Timing(longest, 8, hold, 24)) == 16


def test_the_sentence_says_how_the_clip_is_held_and_whether_its_speed_changes() -> None:
    assert hold_sentence(Timing(48, 8, "RATE", 24)) == "16 frames at 8 fps, on threes"
    assert hold_sentence(Timing(48, 8, "TWOS", 24)) == "24 frames at 8 fps, on twos, plays 1.5× as fast"


@pytest.mark.parametrize("hold", ["RATE", "ONES", "TWOS", "THREES"])
def test_places_and_spans_go_to_the_clip_and_back(hold: str) -> None:
    timing = Timing(90, 8, hold, 24)
    for frame in range(num_frames(timing)):
        assert clip_frame(timing, offset_of(timing, frame)) == frame
        assert clip_span(timing, timeline_span(timing, frame)) == frame
    assert offset_of(timing, num_frames(timing)) == 90
