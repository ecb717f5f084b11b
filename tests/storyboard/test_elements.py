# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a strip shows."""

from confiner_blender.storyboard.clip_timing import Timing
from confiner_blender.storyboard.placeholder import slate_png
from confiner_blender.storyboard.strip_elements import element_names

TIMING = Timing(6, 12, "TWOS", 24)


def names(done: set[int]) -> list[str]:
    return element_names(TIMING, done, lambda frame: f"f{frame}", lambda frame: f"s{frame}")


def test_before_the_first_frame_stand_in_frames_are_shown() -> None:
    assert names(set()) == ["s0", "s0", "s1", "s1", "s2", "s2"]


def test_a_frame_that_is_not_there_yet_is_stood_in_for_by_the_last_one() -> None:
    assert names({0}) == ["f0"] * 6
    assert names({0, 2}) == ["f0", "f0", "f0", "f0", "f2", "f2"]


def test_a_whole_take_shows_every_frame() -> None:
    assert names({0, 1, 2}) == ["f0", "f0", "f1", "f1", "f2", "f2"]


def test_frames_may_come_in_any_order() -> None:
    assert names({1, 2}) == ["s0", "s0", "f1", "f1", "f2", "f2"]


def test_the_slate_is_a_png_of_the_size_asked_for() -> None:
    png = slate_png(112, 64)
    assert png.startswith(b"\x89PNG")
    assert png[16:24] == (112).to_bytes(4, "big") + (64).to_bytes(4, "big")
