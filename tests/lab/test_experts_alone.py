# SPDX-License-Identifier: GPL-3.0-or-later
"""Each expert alone, from pure noise: it can be asked, changed within a clip, and judged by both judges."""

import json
from pathlib import Path

import numpy as np
import pytest
from confiner_lab.jury.verdict import judge_clip
from confiner_lab.scenery import render_clip
from confiner_lab.training import measure
from confiner_lab.training.experts import Change, Sampler
from confiner_lab.training.settings import TINY
from confiner_lab.training.stages import Training


@pytest.fixture(scope="module")
def sampler(trained: Path) -> Sampler:
    return Sampler(Training(trained, TINY))


@pytest.mark.parametrize("name", ["sketch", "frame", "spatial", "control", "temporal"])
def test_every_network_makes_a_clip_of_any_prompt(sampler: Sampler, name: str) -> None:
    def clip(seed: int) -> np.ndarray:
        return sampler.clip(name, "two red cubes hop", steps=2, size=(64, 40), frames=4, seed=seed)

    frames = clip(3)
    assert frames.shape == (4, 40, 64, 3)
    assert np.array_equal(frames, clip(3))
    assert not np.array_equal(frames, clip(4))


def test_a_change_of_prompt_leaves_the_frames_before_it_alone(sampler: Sampler) -> None:
    def clip(then: Change | None) -> np.ndarray:
        return sampler.clip("sketch", "a red cube", steps=2, size=(64, 40), frames=8, seed=1, then=then)

    plain, changed = clip(None), clip(Change("snow at night", begin=4, length=2))
    assert np.array_equal(plain[:4], changed[:4])
    assert not np.array_equal(plain[6:], changed[6:])
    shares = Change("", begin=4, length=2).shares(8, per_frame=True).flatten().tolist()
    assert shares == [0, 0, 0, 0, 0.25, 0.75, 1, 1]


def test_real_clips_are_like_themselves_and_the_figures_can_be_written_down(sampler: Sampler) -> None:
    panel = measure.judges(sampler.training)
    assert set(panel) == {"painter", "asker"}
    trials = []
    for prompt, clip in measure.prompts(3, 1, (64, 40)):
        real = render_clip(clip)
        said = {name: judge_clip(judge, real, clip) for name, judge in panel.items()}
        trials.append(measure.Trial(prompt, clip, real, real, said))
    figures = json.loads(json.dumps(measure.figures(trials)))
    assert all(value == pytest.approx(1) for value in figures["likeness"].values())
    assert {"shape", "count", "same", "frames lost"} <= set(figures["asker"])


def test_a_cut_is_a_larger_step_than_a_passage() -> None:
    gradual = np.stack([np.full((4, 4, 3), 10 * index, np.uint8) for index in range(8)])
    cut = gradual.copy()
    cut[4:] += 100
    assert measure.largest_step(gradual) == pytest.approx(1)
    assert measure.largest_step(cut) > 3
