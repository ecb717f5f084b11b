# SPDX-License-Identifier: GPL-3.0-or-later
"""The world: deterministic, defined at any length, and true to its words."""

import time
from dataclasses import replace

import numpy as np
import pytest
from confiner_lab.world import (
    ATTRIBUTES,
    CAMERAS,
    COLOURS,
    MOTIONS,
    PERIOD,
    SHAPES,
    Clip,
    caption,
    moment_text,
    place_at,
    random_clip,
    render_clip,
    render_frame,
    screen_box,
    unknown_words,
    view_at,
    vocabulary,
)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def test_a_clip_renders_to_the_same_frames_whatever_else_was_rendered() -> None:
    clip = random_clip(rng(3))
    whole = render_clip(clip, 6)
    assert whole.shape == (6, 64, 64, 3)
    assert whole.dtype == np.uint8
    assert np.array_equal(render_frame(clip, 4), whole[4])
    assert not np.array_equal(render_clip(replace(clip, seed=clip.seed + 1), 1)[0], whole[0])


def test_a_clip_that_starts_later_is_the_same_clip_later() -> None:
    clip = replace(random_clip(rng(4)), start=0)
    assert np.array_equal(render_frame(clip, 9), render_frame(replace(clip, start=5), 4))


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("camera", CAMERAS)
def test_everything_comes_round_after_a_period(motion: str, camera: str) -> None:
    clip = Clip(motion=motion, camera=camera)
    assert np.array_equal(render_frame(clip, 3), render_frame(clip, 3 + 20 * PERIOD))


@pytest.mark.parametrize(("motion", "sign"), [("left", -1), ("right", 1)])
def test_a_mover_crosses_the_picture_in_sixteen_frames(motion: str, sign: int) -> None:
    path = [sign * place_at(motion, moment).x for moment in range(16)]
    assert path == sorted(path)
    assert path[-1] - path[0] > 2


def test_who_comes_closer_grows_and_who_goes_away_shrinks() -> None:
    def height(motion: str, frame: int) -> float:
        _, bottom, _, top = screen_box(Clip(motion=motion), frame)
        return top - bottom

    assert height("closer", 15) > 1.6 * height("closer", 0)
    assert height("away", 0) > 1.6 * height("away", 15)
    assert height("still", 15) == height("still", 0)


def test_a_bouncer_leaves_the_ground_and_comes_back() -> None:
    lifts = [place_at("bounce", moment).lift for moment in range(9)]
    assert lifts[0] == lifts[8] == 0
    assert max(lifts) == lifts[4] > 0.8


def test_a_camera_moves_the_background_and_motion_does_not() -> None:
    empty = {"shape": "cone", "ground": "concrete", "width": 64}

    def skyline(clip: Clip, frame: int) -> np.ndarray:
        return render_frame(clip, frame)[8:20]

    still = Clip(motion="right", **empty)
    panned = Clip(camera="pan right", **empty)
    assert np.array_equal(skyline(still, 0), skyline(still, 12))
    first, last = skyline(panned, 0).astype(int), skyline(panned, 15).astype(int)
    moved = round((view_at("pan right", 15).pan - view_at("pan right", 0).pan) * 32)
    aligned = np.abs(first[:, moved:] - last[:, : 64 - moved]).mean()
    assert aligned < 0.3 * np.abs(first - last).mean()


def test_zoom_in_enlarges_and_zoom_out_is_its_mirror() -> None:
    assert view_at("zoom in", 16).zoom == pytest.approx(view_at("zoom out", 0).zoom)
    assert view_at("zoom in", 16).zoom > 1.3 * view_at("zoom in", 0).zoom


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("colour", COLOURS)
def test_the_object_has_its_colour_in_the_plain_look_and_none_in_the_grey(shape: str, colour: str) -> None:
    clip = Clip(shape=shape, colour=colour, look="plain")
    left, bottom, right, top = screen_box(clip, 0)
    row, column = round((1 - (bottom + top) / 2) * 32), round(((left + right) / 2 + 1) * 32)
    pixel = render_frame(clip, 0)[row, column] / 255
    wanted = np.asarray(COLOURS[colour])
    cosine = pixel @ wanted / np.linalg.norm(pixel) / np.linalg.norm(wanted)
    assert cosine > 0.98
    grey = render_frame(replace(clip, look="grey"), 0)
    assert np.ptp(grey.astype(int), axis=-1).max() == 0


def test_the_box_holds_the_object() -> None:
    for seed in range(30):
        clip = random_clip(rng(seed), look="grey")
        frame = render_frame(clip, 5).astype(int)
        backdrop = np.median(frame[:, :, 0], axis=1, keepdims=True)
        left, bottom, right, top = screen_box(clip, 5)
        rows = 1 - (np.arange(64) + 0.5) / 32
        columns = (np.arange(64) + 0.5) / 32 - 1
        outside = (rows[:, None] > top + 0.1) | (rows[:, None] < bottom - 0.1)
        outside = outside | (columns[None] < left - 0.1) | (columns[None] > right + 0.1)
        bright = frame[:, :, 0] > np.maximum(backdrop, 150) + 12
        assert not (bright & outside).any()


def test_the_wide_size_shows_more_of_the_same_world() -> None:
    wide = render_frame(Clip(width=112, shape="sphere"), 0)
    square = render_frame(Clip(shape="sphere"), 0)
    assert wide.shape == (64, 112, 3)
    assert np.abs(wide[:, 24:88].astype(int) - square).mean() < 1


def test_a_frame_takes_few_milliseconds() -> None:
    clips = [random_clip(rng(seed)) for seed in range(30)]
    began = time.process_time()
    for clip in clips:
        render_frame(clip, 0)
    assert (time.process_time() - began) / len(clips) < 0.02


def test_captions_say_every_attribute_in_known_words() -> None:
    draw = rng(1)
    clips = [random_clip(draw) for _ in range(300)]
    texts = [caption(clip, draw) for clip in clips]
    assert all(unknown_words(text) == () for text in texts)
    assert len(set(texts)) > 295
    assert {text.split()[0] for text in texts} > {"a", "at", "on"}


def test_an_omitted_attribute_is_not_said() -> None:
    text = caption(Clip(ground="snow", time="night"), rng(), omit=("ground", "time"))
    assert not {"snow", "snowy", "winter", "night", "moonlight"} & set(text.replace(",", "").split())


def test_unknown_words_are_named_once_in_order_and_moments_are_not_words() -> None:
    assert unknown_words(moment_text("A wobbly RED cube, wobbly and gooey", 35)) == ("wobbly", "gooey")
    assert moment_text("a cube", 35) == "a cube <m3>"


def test_vocabulary_holds_the_attributes_plain_names() -> None:
    words = set(vocabulary())
    names = {word for values in ATTRIBUTES.values() for value in values for word in value.split()}
    assert names - words <= {"bounce", "zoom"}
