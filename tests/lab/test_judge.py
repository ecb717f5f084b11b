# SPDX-License-Identifier: GPL-3.0-or-later
"""The judge names what real clips show, sharp or soft; and its training goes on after a kill."""

import json
from dataclasses import replace

import confiner
import numpy as np
import pytest
import torch
from confiner_lab.evaluate import judging
from confiner_lab.evaluate.likeness import flicker, sharpness
from confiner_lab.judge import training
from confiner_lab.judge.verdict import WEIGHTS, Verdict, judge_clip, load_judge, training_record
from confiner_lab.world import ATTRIBUTES, WORLD_VERSION, Clip, random_clip, render_clip

CLIPS = 60


@pytest.fixture(scope="module")
def clips() -> list[Clip]:
    """Clips that no training drew, every fourth of them wide, at any moment."""
    rng = np.random.default_rng(2024)
    return [random_clip(rng, width=112 if number % 4 == 3 else 64) for number in range(CLIPS)]


def test_names_what_real_clips_show(clips):
    judge = load_judge()
    for attribute, right in rates(judge, clips, lambda frames: frames).items():
        assert right >= 0.97, attribute


def test_is_not_misled_by_softness(clips):
    judge = load_judge()
    for attribute, right in rates(judge, clips[:40], soft).items():
        assert right >= 0.95, attribute


def test_knows_motion_in_the_world_from_motion_on_the_screen():
    """A still object under a panning camera crosses the picture, and is still all the same."""
    judge = load_judge()
    for camera in ("pan left", "pan right"):
        for colour, ground in (("red", "sand"), ("cyan", "grass"), ("pink", "snow")):
            verdict = judge_clip(judge, render_clip(Clip(colour=colour, ground=ground, motion="still", camera=camera)))
            assert (verdict.name("motion"), verdict.name("camera")) == ("still", camera)


def test_says_that_an_object_which_changes_is_not_constant():
    clip = Clip(colour="red", shape="cube", motion="right")
    changed = np.concatenate([render_clip(clip)[:8], render_clip(replace(clip, colour="blue"))[8:]])
    judge = load_judge()
    assert judge_clip(judge, render_clip(clip)).is_constant("colour")
    assert not judge_clip(judge, changed).is_constant("colour")
    assert judge_clip(judge, changed).is_constant("ground")


def test_refuses_another_length():
    with pytest.raises(ValueError, match="15 frames; expected 16"):
        judge_clip(load_judge(), np.zeros((15, 64, 64, 3), np.uint8))


def test_the_weights_are_small_and_say_how_they_came_about():
    assert WEIGHTS.stat().st_size <= 2**20
    record = training_record()
    assert record["world"] == WORLD_VERSION
    assert min(record["held_out_accuracy"].values()) >= 0.97


def test_training_goes_on_from_its_checkpoint(tmp_path, capsys):
    training.train(tmp_path, steps=2, seed=3, held_out=2, report_every=1)
    training.train(tmp_path, steps=3, seed=3, held_out=2, report_every=1)
    lines = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert lines == ["step 1/2", "step 2/2", "step 3/3"]
    assert training_record(tmp_path / "judge.safetensors")["steps"] == 3
    assert json.dumps(training_record(tmp_path / "judge.safetensors"))


def test_flicker_is_not_hidden_by_blur_and_sharpness_is_lost_by_it():
    real = render_clip(Clip(motion="right", camera="pan left"))
    rng = np.random.default_rng(0)
    shaken = np.clip(real * rng.uniform(0.9, 1.1, (16, 1, 1, 1)), 0, 255).astype(np.uint8)
    assert flicker(soft(shaken)) > 2 * flicker(real)
    assert flicker(soft(real)) == pytest.approx(flicker(real), rel=0.2)
    assert sharpness(soft(real)) < 0.6 * sharpness(real)


def test_is_as_right_as_it_is_sure_and_an_unsure_judge_is_found_out(clips):
    space = confiner.load_chain(confiner.read_chains()["bundled"]).space
    few = clips[:12]
    verdicts = judging.evaluate(load_judge(), few, judging.changes(space))
    assert list(verdicts) == ["as they are", "after the VAE", "softened"]
    assert judging.overconfidence(verdicts["after the VAE"], few, 0)["colour"].value == pytest.approx(0, abs=0.1)
    blind = [Verdict({name: np.roll(p, 1, -1) for name, p in v.probabilities.items()}) for v in verdicts["softened"]]
    assert judging.accuracy(blind, few)["ground"].value < 0.2
    assert judging.overconfidence(blind, few, 0)["ground"].value > 0.7


def soft(frames: np.ndarray) -> np.ndarray:
    blurred = training.soften(training.to_tensor([frames]))
    return (blurred[0].permute(0, 2, 3, 1).numpy() * 255).round().astype(np.uint8)


def rates(judge, clips, change) -> dict[str, float]:
    torch.set_num_threads(1)
    verdicts = [judge_clip(judge, change(render_clip(clip)), clip.start) for clip in clips]
    return {
        name: float(np.mean([v.name(name) == getattr(clip, name) for v, clip in zip(verdicts, clips, strict=True)]))
        for name in ATTRIBUTES
    }
