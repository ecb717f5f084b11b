# SPDX-License-Identifier: GPL-3.0-or-later
"""The second world: deterministic, defined at any length, true to its words, and described as people describe."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from confiner_lab.scenery import (
    CAMERAS,
    LOOKS,
    MOTIONS,
    PERIOD,
    SQUARE,
    Clip,
    Passage,
    Thing,
    boxes,
    caption,
    cover,
    moment_text,
    random_clip,
    random_passage,
    render_between,
    render_clip,
    render_frame,
    scattered_clip,
    vocabulary,
)
from confiner_lab.scenery.order import known_words, pairs_of

RED, BLUE = Thing("red", "cube"), Thing("blue", "sphere")


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def change(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.abs(a.astype(float) - b).mean())


def test_a_clip_renders_to_the_same_frames_whatever_else_was_rendered() -> None:
    clip = random_clip(rng(3))
    whole = render_clip(clip, 6)
    assert whole.shape == (6, 72, 128, 3)
    assert whole.dtype == np.uint8
    assert np.array_equal(render_frame(clip, 4), whole[4])
    assert not np.array_equal(render_clip(replace(clip, seed=clip.seed + 1), 1)[0], whole[0])


@pytest.mark.parametrize("motion", MOTIONS)
@pytest.mark.parametrize("camera", CAMERAS)
def test_everything_comes_round_after_a_period(motion: str, camera: str) -> None:
    clip = Clip((RED, BLUE), motion=motion, camera=camera, width=72)
    assert np.array_equal(render_frame(clip, 3), render_frame(clip, 3 + 20 * PERIOD))


def test_two_things_stand_side_by_side_the_first_on_the_left() -> None:
    first, second = boxes(Clip((RED, BLUE)), 0)
    assert first.right <= second.left + 0.05
    frame = render_frame(Clip((RED, BLUE)), 0).astype(int)
    masks = cover(Clip((RED, BLUE)), 0) > 0.9
    assert frame[masks[0]].mean(0).argmax() == 0
    assert frame[masks[1]].mean(0).argmax() == 2


def test_nothing_is_a_clip_too_and_shows_what_stands_behind_things() -> None:
    empty, full = render_frame(Clip(()), 0), render_frame(Clip((RED,)), 0)
    assert cover(Clip(()), 0).shape == (0, 72, 128)
    assert not (empty != full).any(-1)[:20].any()
    assert (empty != full).any()


@pytest.mark.parametrize(("word", "least", "most"), [("small", 0.3, 0.45), ("big", 1.6, 2.0)])
def test_a_size_word_changes_the_area(word: str, least: float, most: float) -> None:
    medium, other = (cover(Clip((Thing("red", "cube", size),)), 0).sum() for size in ("medium", word))
    assert least < other / medium < most


@pytest.mark.parametrize("look", LOOKS)
def test_every_look_shows_things_at_the_same_place(look: str) -> None:
    clip = Clip((RED,), motion="right", look=look)
    with_it, without = render_frame(clip, 5).astype(int), render_frame(replace(clip, things=()), 5)
    changed = np.abs(with_it - without).max(-1) > 8
    inside = cover(clip, 5)[0] > 0.99
    assert changed[inside].mean() > 0.9


def test_near_is_lighter_than_far_in_the_depth_look() -> None:
    near, far = (Clip((RED,), motion="closer", look="depth", start=start) for start in (16, 0))
    tones = [render_frame(clip, 0)[cover(clip, 0)[0] > 0.99].mean() for clip in (near, far)]
    assert tones[0] > 1.5 * tones[1]


def test_pavement_has_lines_and_a_cube_has_faces() -> None:
    street = render_frame(Clip((), ground="concrete"), 0)[55:].astype(int).sum(-1)
    assert np.abs(np.diff(street, axis=1)).max() > 60
    cube = render_frame(Clip((Thing("yellow", "cube"),)), 0)[cover(Clip((Thing("yellow", "cube"),)), 0)[0] > 0.99]
    tones = np.sort(cube.astype(int).sum(-1))
    assert tones[int(0.9 * len(tones))] > 1.4 * tones[int(0.1 * len(tones))]


def test_scattered_things_are_small_and_many() -> None:
    clips = [scattered_clip(rng(seed)) for seed in range(60)]
    heights = [(box.top - box.bottom) * 36 for clip in clips for box in boxes(clip, 0)]
    assert np.mean([len(clip.things) for clip in clips]) > 2.5
    assert np.mean([8 <= height <= 24 for height in heights]) > 0.5


def test_a_passage_begins_as_one_clip_ends_as_the_other_and_never_jumps() -> None:
    first = Clip((RED,), ground="grass", time="noon", seed=4)
    passage = Passage(first, replace(first, things=(BLUE,), ground="snow", time="night"), begin=3, length=8)
    frames = [render_between(passage, index) for index in range(16)]
    assert np.array_equal(frames[0], render_frame(passage.first, 0))
    assert np.array_equal(frames[15], render_frame(passage.second, 15))
    steps = [change(a, b) for a, b in pairwise(frames[3:12])]
    assert max(steps) < 3 * np.median(steps)


def test_random_passages_change_something() -> None:
    for seed in range(20):
        passage = random_passage(rng(seed), size=SQUARE)
        assert passage.first.seed == passage.second.seed
        assert passage.share(15) > passage.share(0)


def words_of(text: str) -> set[str]:
    return {word.strip(".,;!-'") for word in text.lower().split()}


def test_captions_are_of_known_words_but_for_strangers() -> None:
    known, generator = set(vocabulary()) | {"", "it's", "there's"}, rng(8)
    strange = [words_of(caption(random_clip(generator), generator)) - known for _ in range(400)]
    assert all(len(words) <= 1 for words in strange)
    assert 0.02 < np.mean([bool(words) for words in strange]) < 0.12


def test_captions_are_single_sentences_several_sentences_and_fragments() -> None:
    generator = rng(9)
    texts = [caption(random_clip(generator), generator) for _ in range(400)]
    assert sum(text.rstrip(".!").count(". ") >= 2 for text in texts) > 20
    assert sum("there is" in text or "there are" in text for text in texts) > 20
    assert sum(", not " in text for text in texts) > 10
    assert sum(len(text.split()) > 25 for text in texts) > 5
    hopping, silent = Clip((RED,), motion="bounce"), ["colour", "shape", "ground", "time"]
    terse = [caption(hopping, generator, omit=silent) for _ in range(200)]
    assert sum(len(text.split()) < 3 for text in terse) > 10


def test_a_caption_leaves_out_what_it_is_told_to() -> None:
    clip, generator = Clip((RED,), ground="snow", time="night", motion="left"), rng(10)
    for _ in range(60):
        said = words_of(caption(clip, generator, omit=["colour", "ground", "time", "motion"]))
        assert not said & {"red", "crimson", "scarlet", "snow", "winter", "night", "midnight", "left"}


def test_two_alike_are_a_plural_and_nothing_is_said_to_be_nothing() -> None:
    generator = rng(11)
    twins = [words_of(caption(Clip((RED, RED)), generator)) for _ in range(40)]
    assert all(said & {"two", "2", "pair", "another", "both"} for said in twins)
    empty = [words_of(caption(Clip(()), generator)) for _ in range(40)]
    assert not any(said & {"cube", "red", "sphere", "object that"} for said in empty)


def test_an_order_never_read_is_told_from_one_that_people_use() -> None:
    generator = rng(12)
    read = pairs_of(caption(random_clip(generator), generator) for _ in range(12000))

    def strange(prompt: str) -> list[tuple[str, str]]:
        return [pair for pair in pairwise(known_words(prompt)) if pair not in read]

    assert not strange("two red cubes move left on grass at noon")
    assert not strange("the ground is snow. it is midnight.")
    assert len(strange("cube red left the on moves grass")) >= 3


def test_a_moment_stands_before_the_prompt() -> None:
    assert moment_text("a red cube", 35) == "<m3> a red cube"
