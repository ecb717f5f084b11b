# SPDX-License-Identifier: GPL-3.0-or-later
"""The experiments behind `confiner evaluate`, on few clips: the bundled experts follow structure frames and prompts."""

import json
from pathlib import Path

import confiner
import numpy as np
import pytest
from confiner_lab.evaluate import prompts, structure
from confiner_lab.evaluate.colour import middle
from confiner_lab.evaluate.workbench import StructureClip
from confiner_lab.judge.verdict import load_judge
from confiner_lab.world import Clip, render_clip
from PIL import Image


@pytest.fixture(scope="module")
def chain() -> confiner.Chain:
    return confiner.load_chain(confiner.read_chains()["bundled"])


@pytest.fixture(scope="module")
def followed(chain: confiner.Chain) -> structure.Result:
    """One grey box that crosses the picture, in each colour."""
    clip = Clip(shape="cube", motion="right", look="grey", seed=5)
    truth = np.array([middle(clip, index) for index in range(16)])
    boxes = [StructureClip("to the right", "cube", render_clip(clip), truth)]
    spec = chain.spec
    return structure.evaluate(
        chain, boxes, seed=1, freedom=spec.structure_freedom, refine_steps=spec.structure_refine_steps
    )


def test_results_follow_their_structure_frames_in_the_prompted_colour(followed: structure.Result) -> None:
    assert [trial.colour for trial in followed.trials] == list(structure.COLOURS)
    assert followed.correlation(0).value >= 0.9
    assert followed.colour().value >= 0.75


def test_the_figures_are_plain_numbers_with_intervals_beside_them(followed: structure.Result) -> None:
    figures = json.loads(json.dumps(followed.to_json(0)))
    low, high = figures["intervals"]["median_correlation"]
    assert low <= figures["median_correlation"] <= high
    assert len(figures["clips"]) == len(structure.COLOURS)


def test_the_sheet_shows_every_result_under_its_structure(followed: structure.Result, tmp_path: Path) -> None:
    structure.draw_results(followed, tmp_path / "sheet.png")
    structure.draw_sweep([followed, followed], 0, tmp_path / "plot.png")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("RGB"))
    assert len(np.unique(sheet.reshape(-1, 3), axis=0)) > 200
    assert Image.open(tmp_path / "plot.png").size == (720, 420)


def test_sentences_are_the_same_for_a_seed_and_name_what_they_mean() -> None:
    first, again = (prompts.draw_sentences(20, 3, width=64, height=64) for _ in range(2))
    assert first == again
    assert len({sentence.prompt for sentence in first}) == 20
    assert all(sentence.meant.start == 0 for sentence in first)
    assert first != prompts.draw_sentences(20, 4, width=64, height=64)


def test_clips_are_judged_by_what_their_prompts_say(chain: confiner.Chain, tmp_path: Path) -> None:
    setting = prompts.Setting("coordinated", None, 4, 5)
    trials = prompts.evaluate(chain, load_judge(), prompts.draw_sentences(3, 0, width=64, height=64), setting)
    figures = json.loads(json.dumps(prompts.figures_json(trials, trials, 0)))
    assert figures["more_right_than_first"] == 0
    assert figures["attributes"]["ground"] >= 2 / 3
    assert figures["attributes"]["time"] >= 2 / 3
    assert set(figures["attributes"]) == {"colour", "shape", "ground", "time", "motion", "camera", "intervals"}
    prompts.draw_trials(trials, tmp_path / "sheet.png")
    assert (tmp_path / "sheet.png").stat().st_size > 10_000


def test_the_structure_alone_is_what_refinement_begins_with(chain: confiner.Chain) -> None:
    """V0 as the control expert left it: with a T_e of next to nothing, refinement comes to the same pictures."""
    sentences = prompts.draw_sentences(1, 0, width=64, height=64)
    judge = load_judge()
    alone, touched, refined = (
        prompts.evaluate(chain, judge, sentences, prompts.Setting(rule, freedom, 4, 1))[0].frames.astype(int)
        for rule, freedom in ((prompts.STRUCTURE, None), ("standard", 1), ("coordinated", None))
    )
    assert alone.shape == (16, 64, 64, 3)
    assert abs(alone - touched).mean() < 0.25 * abs(alone - refined).mean()
    assert len(np.unique(alone, axis=0)) == 16
