# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a prompt is cut: said in words, never the text of the moments, and as it was where nothing is cut wrongly."""

from __future__ import annotations

import logging
from dataclasses import replace

import confiner
import numpy as np
import pytest
import torch
from confiner import ConFinerPipeline, FramesDone, Stretch, take_record
from confiner.chains import read_chains
from confiner.experts.reach import beginning
from confiner.generation.unread import unread_words
from confiner.loading.chain import Chain
from numpy.typing import NDArray

FILLED = (
    "a blue sphere moves {} on a grassy lawn under a bright sun" + " and a large red cube stands still on the grass" * 3
)
"""Of more tokens than the bundled experts read; what matters stands at its beginning."""


@pytest.fixture(scope="module")
def bundled() -> Chain:
    return confiner.load_chain(read_chains()["bundled"])


def request(prompt: str, **changes: object) -> confiner.ClipRequest:
    values = {"prompt": prompt, "num_frames": 16, "width": 64, "height": 64, "seed": 7}
    return confiner.ClipRequest(**{**values, **changes})  # type: ignore[arg-type]


def told(asked: confiner.ClipRequest, chain: Chain) -> tuple[str, ...]:
    return unread_words(asked, chain, confiner.resolve_plan(asked, chain))


def room(text: str) -> bool:
    """Twelve letters, as a tokenizer of letters would have it."""
    return len(text.replace(" ", "")) <= 12


@pytest.mark.parametrize(
    ("prompt", "read"),
    [
        ("a red cube", "a red cube"),
        ("a red cube moves left", "a red cube"),
        ("  a red   cube\nmoves left ", "  a red   cube"),
        ("x" * 40, "x" * 12),
        ("a red " + "x" * 40 + " cube", "a red " + "x" * 8),
        ("残り物" * 10, "残り物" * 4),
        ("", ""),
    ],
)
def test_a_prompt_is_read_in_whole_words_and_an_endless_word_in_letters(prompt: str, read: str) -> None:
    assert beginning(prompt, room) == read


@pytest.mark.parametrize("count", [1, 30, 37])
def test_a_prompt_that_fits_is_read_whole(bundled: Chain, count: int) -> None:
    assert told(request("cube " * (count - 1) + "left"), bundled) == ()


def test_the_control_expert_needs_one_token_for_the_moment(bundled: Chain) -> None:
    (sentence,) = told(request("cube " * 37 + "left"), bundled)
    assert sentence == "the prompt is too long to be read whole: the control expert does not read “left”"
    (sentence,) = told(request("cube " * 38 + "left"), bundled)
    assert "the control expert does not read “cube left”" in sentence
    assert "the spatial and temporal experts do not read “left”" in sentence


def test_over_structure_frames_there_are_no_moments_and_no_control_expert(bundled: Chain) -> None:
    structure = np.zeros((16, 64, 64, 3), dtype=np.uint8)
    assert told(request("cube " * 37 + "left", structure=structure), bundled) == ()
    (sentence,) = told(request("cube " * 38 + "left", structure=structure), bundled)
    assert sentence.endswith("no expert reads “left”")


def test_only_experts_that_are_asked_count(bundled: Chain) -> None:
    structure = np.zeros((16, 64, 64, 3), dtype=np.uint8)
    (sentence,) = told(request("cube " * 40, structure=structure, rule="temporal"), bundled)
    assert "no expert reads" in sentence
    (sentence,) = told(request("cube " * 37 + "left", rule="temporal"), bundled)
    assert "control expert" in sentence


def test_later_prompts_are_named_by_their_frame_and_a_long_rest_is_shortened(bundled: Chain) -> None:
    stretches = (Stretch(8, "a red cube " * 100),)
    (sentence,) = told(request("a red cube", stretches=stretches), bundled)
    assert sentence.startswith("the prompt from frame 8 on is too long")
    assert "letters" in sentence
    assert len(sentence) < 500


def test_a_negative_prompt_is_looked_at_where_it_does_something(chain: Chain) -> None:
    """Only the tiny chain's spatial expert is guided; its tokenizer takes a token for a letter, 22 in all."""
    asked = request("a red cube", width=32, height=32, negative_prompt="rain and fog and snow and hail")
    (sentence,) = told(asked, chain)
    assert sentence == "the negative prompt is too long to be read whole: no expert reads “hail”"


def test_every_moment_is_still_read_behind_a_prompt_that_is_cut(bundled: Chain) -> None:
    (texts,) = bundled.control.read(FILLED.format("left")).prompts
    assert not any(torch.equal(texts[0], texts[moment]) for moment in range(1, 16))


def test_a_prompt_that_fits_is_encoded_as_it_always_was(bundled: Chain) -> None:
    prompt = "a red cube moves left on grass at noon"
    (texts,) = bundled.control.read(prompt).prompts
    assert torch.equal(texts, bundled.control.text.encode([f"{prompt} <m{moment}>" for moment in range(32)]))


def test_what_is_cut_elsewhere_is_cut_as_it_always_was(bundled: Chain) -> None:
    (texts,) = bundled.spatial.read(FILLED).prompts
    assert torch.equal(texts, bundled.spatial.text.encode([FILLED]))


def blue_places(frames: NDArray[np.uint8]) -> tuple[float, float]:
    """Where the blue ball is across the picture, 0 to 1, at the clip's begin and end."""

    def centre(frame: NDArray[np.uint8]) -> float:
        red, green, blue = (frame[20:, :, channel].astype(float) for channel in range(3))
        weight = np.clip(blue - np.maximum(red, green) - 20, 0, None)
        return float((weight.sum(0) * np.arange(frame.shape[1])).sum() / weight.sum() / frame.shape[1])

    return centre(frames[1]), centre(frames[-1])


@pytest.mark.parametrize(("way", "sign"), [("left", -1), ("right", 1)])
def test_a_long_prompt_moves(bundled: Chain, way: str, sign: int) -> None:
    asked = request(FILLED.format(way))
    events = confiner.generate(asked, bundled, confiner.resolve_plan(asked, bundled))
    begin, end = blue_places(np.concatenate([event.frames for event in events if isinstance(event, FramesDone)]))
    assert sign * (end - begin) > 0.05, (begin, end)


def test_the_record_of_a_take_keeps_it(bundled: Chain) -> None:
    asked = request(FILLED.format("left"))
    plan = confiner.resolve_plan(asked, bundled)
    assert take_record(asked, bundled, plan)["unread"] == list(unread_words(asked, bundled, plan))
    assert "unread" not in take_record(replace(asked, prompt="a red cube"), bundled, plan)


def test_the_pipeline_logs_it_as_those_of_diffusers_do(chain: Chain, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        ConFinerPipeline(chain)("a red cube and a blue sphere", num_frames=1, control_steps=1, refine_steps=1)
    assert "too long to be read whole" in caplog.text
