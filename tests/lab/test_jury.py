# SPDX-License-Identifier: GPL-3.0-or-later
"""Two judges with one form of answer; their examples know what is there, and a verdict weighs what was asked for."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from confiner_lab.jury import examples, training
from confiner_lab.jury.examples import UNKNOWN, plain, random_example, visible_frames
from confiner_lab.jury.seen import ANSWERS, CLIP_FRAMES, PER_CLIP, PER_FRAME
from confiner_lab.jury.verdict import judge_clip, weigh
from confiner_lab.scenery import COLOURS, SHAPES, SQUARE, WIDE, Clip, Thing, cover

RED, BLUE = Thing("red", "cube"), Thing("blue", "sphere")


@pytest.mark.parametrize("name", ["painter", "asker"])
@pytest.mark.parametrize("size", [WIDE, SQUARE])
def test_both_judges_answer_in_one_form_at_both_shapes(name: str, size: tuple[int, int]) -> None:
    judge = training.build(name).eval()
    seen, _ = judge(torch.rand(2, CLIP_FRAMES, 3, size[1], size[0]), torch.tensor([0, 5]))
    for question in PER_FRAME:
        assert seen.logits[question].shape == (2, CLIP_FRAMES, len(ANSWERS[question]))
    for question in PER_CLIP:
        assert seen.logits[question].shape == (2, len(ANSWERS[question]))
    assert seen.areas.shape == (2, CLIP_FRAMES, len(COLOURS), len(SHAPES))
    assert (seen.areas >= 0).all()


@pytest.mark.parametrize("name", ["painter", "asker"])
def test_a_judge_learns_its_examples(name: str) -> None:
    torch.manual_seed(0)
    judge = training.build(name)
    made = [plain(Clip((RED,), motion="left", width=72)), plain(Clip((), ground="snow", width=72))]
    clips, starts = examples.to_tensor([e.frames for e in made]), torch.tensor([e.start for e in made])
    optimizer = torch.optim.Adam(judge.parameters(), lr=1e-3)
    losses = []
    for _ in range(8):
        loss = training.loss_of(*judge(clips, starts), made, training.LOSSES[name])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.8 * losses[0]


def test_an_example_knows_how_much_of_each_cell_a_thing_fills() -> None:
    clip = Clip((RED, BLUE))
    example = plain(clip)
    share = example.cells[0].mean((1, 2)) / 255
    assert np.allclose(share, cover(clip, 0).mean((1, 2)), atol=0.002)
    assert (example.present == 1).all()


def test_who_has_left_the_picture_is_not_there() -> None:
    clip = Clip((RED,), motion="left", start=12)
    example = plain(clip)
    assert example.present[0, 0] == 1
    assert 0 in example.present[:, 0]
    assert not visible_frames(clip)[example.present[:, 0] == 0].any()


def test_altered_examples_say_what_each_frame_shows() -> None:
    rng = np.random.default_rng(3)
    whole, empty = plain(Clip((RED,))), plain(Clip(()))
    fading = examples._mixed(whole, empty, np.linspace(0, 1, CLIP_FRAMES, dtype=np.float32))
    assert fading.present[0, 0] == 1
    assert fading.present[-1, 0] == 0
    assert UNKNOWN in fading.present[:, 0]
    jumbled = examples._jumbled(plain(Clip((RED,), motion="right")), rng)
    assert ANSWERS["motion"][jumbled.motion] == "erratic"
    found = [random_example(np.random.default_rng([1, n]), SQUARE) for n in range(12)]
    assert any(len({tuple(row) for row in e.present.tolist()}) > 1 for e in found)


def perfect(meant: Clip) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """What a judge without fault says of the clip."""
    example = plain(meant)
    answers = {name: np.zeros((CLIP_FRAMES, len(ANSWERS[name])), np.float32) for name in PER_FRAME}
    answers |= {name: np.zeros(len(ANSWERS[name]), np.float32) for name in PER_CLIP}
    answers["ground"][:, example.ground] = answers["time"][:, example.time] = 1
    answers["count"][np.arange(CLIP_FRAMES), example.present.clip(min=0).sum(1)] = 1
    answers["motion"][max(example.motion, 0)] = answers["camera"][example.camera] = 1
    areas = np.zeros((CLIP_FRAMES, len(COLOURS), len(SHAPES)))
    for number, thing in enumerate(meant.things):
        areas[:, list(COLOURS).index(thing.colour), SHAPES.index(thing.shape)] += (
            example.cells[:, number].mean((1, 2)) / 255
        )
    return answers, areas


@pytest.mark.parametrize("things", [(), (RED,), (RED, BLUE), (RED, RED), (RED, Thing("red", "cone"))])
def test_what_is_as_meant_is_found_right(things: tuple[Thing, ...]) -> None:
    meant = Clip(things, ground="sand", time="dusk", motion="right" if things else "still", camera="zoom in")
    verdict = weigh(*perfect(meant), meant)
    assert verdict.wrong == ()
    assert not verdict.lost.any()
    assert verdict.same.all()
    assert np.allclose(verdict.areas[verdict.seen], 1, atol=0.05)


def test_a_thing_that_vanishes_for_a_frame_is_lost_in_that_frame() -> None:
    meant = Clip((RED,))
    answers, areas = perfect(meant)
    areas[7] = 0
    verdict = weigh(answers, areas, meant)
    assert verdict.lost[:, 0].tolist() == [index == 7 for index in range(CLIP_FRAMES)]


def test_a_thing_that_turns_into_another_is_not_the_same() -> None:
    meant = Clip((RED,))
    answers, areas = perfect(meant)
    areas[5:9] = areas[5:9, :, ::-1]
    assert not weigh(answers, areas, meant).same.any()


def test_another_colour_another_shape_and_another_number_are_wrong() -> None:
    meant = Clip((RED,))
    assert weigh(*perfect(Clip((Thing("green", "cube"),))), meant).wrong == ("colour",)
    assert weigh(*perfect(Clip((Thing("red", "cone"),))), meant).wrong == ("shape",)
    assert "count" in weigh(*perfect(Clip((RED, RED))), meant).wrong
    assert "shape" in weigh(*perfect(Clip((Thing("red", "sphere"), Thing("blue", "cube")))), Clip((RED, BLUE))).wrong


def test_clips_of_another_length_are_refused() -> None:
    with pytest.raises(ValueError, match="expected 16"):
        judge_clip(training.build("painter"), np.zeros((8, 72, 128, 3), np.uint8), replace(Clip(), seed=1))
