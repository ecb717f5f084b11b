# SPDX-License-Identifier: GPL-3.0-or-later
"""A prompt per stretch: which text holds when, and that nothing but the frames decides it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import confiner
import pytest
import torch
from confiner import ClipRequest, Stretch
from confiner.errors import RequestError
from confiner.experts.text_encoder import PromptSchedule
from confiner.generation.events import FramesDone
from confiner.generation.plan import Plan
from confiner.loading.chain import Chain
from confiner.method.prompt_schedule import shares

SHOT = ClipRequest(
    prompt="a red cube",
    stretches=(Stretch(20, "a blue sphere"), Stretch(28, "a cone")),
    crossover=8,
    num_frames=40,
    width=32,
    height=32,
    seed=3,
    rule="temporal",
    control_steps=2,
    refine_steps=2,
)


def _latents(request: ClipRequest, chain: Chain, plan: Plan | None = None) -> torch.Tensor:
    events = confiner.generate(request, chain, plan or confiner.resolve_plan(request, chain))
    return torch.cat([event.latents for event in events if isinstance(event, FramesDone)], dim=2)


def test_a_cross_over_is_centred_on_its_start() -> None:
    first = [shares(frame + 0.5, (20,), 8)[0] for frame in range(40)]
    assert first[:16] == [1.0] * 16
    assert first[16:24] == pytest.approx([(15 - 2 * k) / 16 for k in range(8)])
    assert first[24:] == [0.0] * 16
    assert shares(20, (20,), 8) == (0.5, 0.5)


def test_a_cut_has_no_mixture() -> None:
    assert [shares(frame + 0.5, (20, 30), 0) for frame in (0, 19, 20, 29, 30)] == [
        (1.0, 0.0, 0.0),
        (1.0, 0.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 1.0, 0.0),
        (0.0, 0.0, 1.0),
    ]


def test_overlapping_cross_overs_always_share_out_the_whole() -> None:
    for frame in range(60):
        found = shares(frame + 0.5, (20, 24, 31), 16)
        assert sum(found) == pytest.approx(1.0)
        assert min(found) >= 0.0
    assert shares(22.5, (20, 24, 31), 16)[1] > 0.0


def _script(**changes: object) -> PromptSchedule:
    prompts = tuple(torch.full((32, 3, 2), float(value)) + torch.arange(32.0)[:, None, None] for value in (0, 100))
    return PromptSchedule(**{"prompts": prompts, "starts": (20,), "crossover": 8, **changes})  # type: ignore[arg-type]


def test_text_per_frame_changes_from_frame_to_frame() -> None:
    embeds = _script().at(range(16, 48)).prompt
    assert embeds.shape == (1, 32, 3, 2)
    expected = [frame % 32 + 100 * shares(frame + 0.5, (20,), 8)[1] for frame in range(16, 48)]
    torch.testing.assert_close(embeds[0, :, 0, 0], torch.tensor(expected))


def test_one_text_for_all_is_that_of_the_windows_middle() -> None:
    prompts = (torch.zeros(1, 3, 2), torch.full((1, 3, 2), 100.0))
    script = _script(prompts=prompts, per_frame=False)
    values = [script.at(range(start, start + 16)).prompt for start in (0, 8, 10, 12, 14, 30)]
    assert all(value.shape == (1, 1, 3, 2) for value in values)
    assert [round(float(value.flatten()[0])) for value in values] == [0, 0, 25, 50, 75, 100]


def test_an_image_expert_reads_the_text_of_its_own_frame() -> None:
    prompts = (torch.zeros(1, 3, 2), torch.full((1, 3, 2), 100.0))
    assert _script(prompts=prompts).at(range(18, 22)).prompt.shape == (1, 4, 3, 2)
    assert _script(prompts=prompts[:1], starts=()).at(range(18, 22)).prompt.shape == (1, 1, 3, 2)


def test_a_clip_begins_with_its_prompt_and_goes_over_to_the_next(chain: Chain) -> None:
    whole = _latents(SHOT, chain)
    alone = _latents(replace(SHOT, stretches=()), chain)
    later = _latents(replace(SHOT, prompt="a cone", stretches=()), chain)
    # Windows look ahead and back, so that either end is near what its own prompt makes of it, not equal to it.
    assert (whole - alone)[:, :, 0].norm() < 0.01 * (whole - later)[:, :, 0].norm()
    assert (whole - later)[:, :, -1].norm() < 0.2 * (whole - alone)[:, :, -1].norm()


def test_stretches_of_the_same_prompt_change_nothing(chain: Chain) -> None:
    same = replace(SHOT, stretches=(Stretch(20, SHOT.prompt), Stretch(28, SHOT.prompt)))
    torch.testing.assert_close(_latents(same, chain), _latents(replace(SHOT, stretches=()), chain))


def test_a_shot_of_stretches_resumes_and_batches_like_any_other(chain: Chain, tmp_path: Path) -> None:
    plan = confiner.resolve_plan(SHOT, chain)
    whole = _latents(SHOT, chain, plan)
    events = list(confiner.generate(SHOT, chain, plan))
    path = tmp_path / "state.safetensors"
    for number in range(0, len(events), 3):
        confiner.save_state(events[number].state, path, SHOT, plan)
        state = confiner.load_state(path, SHOT, plan)
        rest = [*events[: number + 1], *confiner.generate(SHOT, chain, plan, state)]
        assert torch.equal(torch.cat([e.latents for e in rest if isinstance(e, FramesDone)], dim=2), whole)
    batched = _latents(SHOT, chain, replace(plan, segment_batch=2))
    assert (batched - whole).abs().max() < 1e-4 * whole.abs().max()


def test_settings_make_the_request_again_and_are_as_before_without_stretches() -> None:
    again = ClipRequest.from_settings(json.loads(json.dumps(SHOT.settings())))
    assert again == SHOT
    assert again.digest() == SHOT.digest() != replace(SHOT, crossover=4).digest()
    plain = replace(SHOT, stretches=(), crossover=16)
    assert "stretches" not in plain.settings()
    assert ClipRequest.from_settings(plain.settings()) == plain


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stretches": (Stretch(0, "a cone"),)}, "prompt 2 from frame 0 on"),
        ({"stretches": (Stretch(40, "a cone"),)}, "in a clip of 40 frames; expected a frame from 1 to 39"),
        ({"stretches": (Stretch(9, "a cone"), Stretch(9, "a cube"))}, "prompt 3 from frame 9 on"),
        ({"stretches": (Stretch(39, "a cone"), Stretch(40, "a cube"))}, "expected none there"),
        ({"stretches": (Stretch(9, " "),)}, "an empty prompt from frame 9 on"),
        ({"crossover": -1}, "a cross-over of -1 frames"),
    ],
)
def test_wrong_stretches_are_refused_with_a_sentence(chain: Chain, changes: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        confiner.resolve_plan(replace(SHOT, **changes), chain)  # type: ignore[arg-type]
    assert caught.value.remedy
