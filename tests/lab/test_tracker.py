# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracker finds paths that are known: of the world's real clips, and of solids in every colour on every ground."""

from dataclasses import replace

import numpy as np
import pytest
from confiner_lab.evaluate.colour import middle, name_colour
from confiner_lab.evaluate.tracker import path_correlation, track
from confiner_lab.world import Clip, random_clip, render_clip


def real_clips(count: int, motion: str, **fixed: object) -> list[Clip]:
    rng = np.random.default_rng(11)
    return [replace(random_clip(rng), motion=motion, camera="static", start=0, **fixed) for _ in range(count)]


def true_path(clip: Clip) -> np.ndarray:
    return np.array([middle(clip, index) for index in range(16)])


@pytest.mark.parametrize(
    ("motion", "least"), [("left", 0.98), ("right", 0.98), ("closer", 0.95), ("away", 0.95), ("bounce", 0.9)]
)
def test_tracks_objects_of_any_colour_on_any_ground(motion: str, least: float) -> None:
    found = [path_correlation(track(render_clip(clip)), true_path(clip)) for clip in real_clips(24, motion)]
    assert np.median(found) > least
    assert np.mean(np.array(found) > 0.85) > 0.9


def test_tells_left_from_right() -> None:
    (clip,) = real_clips(1, "left")
    opposite = true_path(replace(clip, motion="right"))
    assert path_correlation(track(render_clip(clip)), opposite) < -0.9


def test_reads_luminance_only() -> None:
    (clip,) = real_clips(1, "right", colour="red", ground="snow", time="noon")
    frames = render_clip(clip)
    grey = np.repeat((frames @ [0.2126, 0.7152, 0.0722])[..., None], 3, axis=-1).round().astype(np.uint8)
    assert np.abs(track(grey) - track(frames)).max() < 0.5


def test_a_clip_in_which_nothing_moves_follows_no_path() -> None:
    (clip,) = real_clips(1, "still")
    moving = true_path(replace(clip, motion="left"))
    assert abs(path_correlation(track(render_clip(clip)), moving)) < 0.5


def test_names_the_colours_of_solids_by_day() -> None:
    clips = [clip for motion in ("left", "right", "bounce") for clip in real_clips(24, motion, time="noon")]
    named = [name_colour(render_clip(clip), true_path(clip)) for clip in clips]
    assert np.mean([name == clip.colour for name, clip in zip(named, clips, strict=True)]) > 0.95


def test_a_grey_box_has_hardly_any_of_the_bright_colours() -> None:
    clips = real_clips(12, "left", look="grey")
    assert {name_colour(render_clip(clip), true_path(clip)) for clip in clips}.isdisjoint(
        {"red", "yellow", "green", "blue"}
    )
