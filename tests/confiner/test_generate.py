# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole clips from tiny experts: any length, the same bytes every time, resumable anywhere, leaving nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import confiner
import numpy as np
import numpy.typing as npt
import pytest
import torch
from confiner.errors import RequestError, StateError, StructureError
from confiner.generation.events import Event, FramesDone, StepDone, StructureReady
from confiner.generation.plan import Plan
from confiner.generation.prepared_shot import frame_layout
from confiner.generation.state import ShotState
from confiner.loading.chain import Chain
from confiner.method.rules import RULES

ROOT = Path(__file__).resolve().parents[2]


def _request(num_frames: int = 16, **changes: object) -> confiner.ClipRequest:
    values = {"prompt": "a red cube", "num_frames": num_frames, "width": 32, "height": 32, "seed": 3} | changes
    return confiner.ClipRequest(**values)  # type: ignore[arg-type]


def _events(
    request: confiner.ClipRequest, chain: Chain, plan: Plan | None = None, state: ShotState | None = None
) -> list[Event]:
    return list(confiner.generate(request, chain, plan or confiner.resolve_plan(request, chain), state))


def _frames(events: list[Event]) -> npt.NDArray[np.uint8]:
    return np.concatenate([event.frames for event in events if isinstance(event, FramesDone)])


def _structure(frames: int) -> npt.NDArray[np.uint8]:
    return np.random.Generator(np.random.Philox(1)).integers(0, 256, (frames, 32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize("num_frames", [1, 7, 16, 17, 24, 33])
def test_any_number_of_frames_comes_out_in_order(chain: Chain, num_frames: int) -> None:
    request = _request(num_frames, refine_steps=3, control_steps=2)
    events = _events(request, chain)
    starts = [event.start for event in events if isinstance(event, FramesDone)]
    counts = [len(event.frames) for event in events if isinstance(event, FramesDone)]
    assert starts == [sum(counts[:i]) for i in range(len(counts))]
    assert _frames(events).shape == (num_frames, 32, 32, 3)
    assert _frames(events).std() > 1


@pytest.mark.parametrize("num_frames", [1, 7, 16, 20])
def test_structure_frames_take_the_control_experts_place(chain: Chain, num_frames: int) -> None:
    request = _request(num_frames, structure=_structure(num_frames), refine_steps=2)
    events = _events(request, chain)
    assert not [event for event in events if isinstance(event, StepDone) and event.stage == "control"]
    assert sum(event.frames for event in events if isinstance(event, StructureReady)) == num_frames
    assert _frames(events).shape == (num_frames, 32, 32, 3)
    other = _frames(_events(replace(request, structure=255 - _structure(num_frames)), chain))
    assert not np.array_equal(other, _frames(events))


def test_one_clip_is_four_control_steps_and_five_of_refinement(chain: Chain) -> None:
    """The paper's nine steps; with guidance the tiny spatial expert is asked twice."""
    events = _events(_request(), chain)
    steps = [(event.stage, event.step, event.steps, event.timestep) for event in events if isinstance(event, StepDone)]
    assert steps == [
        *(("control", k + 1, 4, t) for k, t in enumerate((999, 749, 499, 249))),
        *(("refine", k + 1, 5, t) for k, t in enumerate((300, 240, 180, 120, 60))),
    ]
    last = [event for event in events if isinstance(event, StepDone)][-1]
    assert last.evaluations == last.evaluations_total == 4 + 5 * (2 * 2 + 1)


@pytest.mark.parametrize("num_frames", [7, 17, 33])
@pytest.mark.parametrize("segment_batch", [1, 2])
def test_steps_and_evaluations_add_up_to_what_was_announced(chain: Chain, num_frames: int, segment_batch: int) -> None:
    request = _request(num_frames, refine_steps=3, control_steps=2)
    plan = replace(confiner.resolve_plan(request, chain), segment_batch=segment_batch)
    steps = [event for event in _events(request, chain, plan) if isinstance(event, StepDone)]
    for stage in ("control", "refine"):
        own = [event for event in steps if event.stage == stage]
        assert [event.step for event in own] == list(range(1, own[0].steps + 1))
    assert steps[-1].evaluations == steps[-1].evaluations_total


@pytest.mark.parametrize("rule", RULES.names)
def test_every_rule_makes_a_clip_of_its_own(chain: Chain, rule: str) -> None:
    latents = _latents(_events(_request(4, rule=rule, refine_steps=2), chain))
    other = "standard" if rule != "standard" else "temporal"
    assert latents.isfinite().all()
    assert (latents - _latents(_events(_request(4, rule=other, refine_steps=2), chain))).abs().max() > 1e-3


def _latents(events: list[Event]) -> torch.Tensor:
    return torch.cat([event.latents for event in events if isinstance(event, FramesDone)], dim=2)


def test_the_same_request_and_plan_give_the_same_bytes(chain: Chain) -> None:
    request = _request(20, refine_steps=2)
    plan = Plan.from_json(json.loads(json.dumps(confiner.resolve_plan(request, chain).to_json())))
    first = _frames(_events(request, chain, plan))
    torch.manual_seed(99)  # the process's own randomness has no part in it
    assert np.array_equal(_frames(_events(request, chain, plan)), first)
    assert not np.array_equal(_frames(_events(replace(request, seed=4), chain, plan)), first)


def test_another_process_makes_the_same_bytes(chain: Chain, chain_file: Path) -> None:
    request = _request(18, refine_steps=2, control_steps=2)
    plan = confiner.resolve_plan(request, chain)
    script = """
import hashlib, json, sys
from pathlib import Path
import confiner
chain = confiner.load_chain(confiner.read_chains(Path(sys.argv[1]))["tiny"])
plan = confiner.Plan.from_json(json.loads(sys.argv[2]))
request = confiner.ClipRequest(**json.loads(sys.argv[3]))
digest = hashlib.sha256()
for event in confiner.generate(request, chain, plan):
    if isinstance(event, confiner.FramesDone):
        digest.update(event.frames.tobytes())
print(digest.hexdigest())
"""
    arguments = [str(chain_file), json.dumps(plan.to_json()), json.dumps(request.settings())]
    path = os.pathsep.join([str(ROOT / "server"), str(ROOT)])
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    ours = hashlib.sha256(_frames(_events(request, chain, plan)).tobytes()).hexdigest()
    assert run.stdout.strip() == ours


@pytest.mark.parametrize("preset", [lambda plan: plan, confiner.paper_preset], ids=["default", "paper"])
@pytest.mark.parametrize("num_frames", [36, 48])
def test_a_longer_shot_begins_with_the_same_frames(
    chain: Chain, num_frames: int, preset: Callable[[Plan], Plan]
) -> None:
    """But for those at the shorter one's end that its last windows, which would lie elsewhere, had a part in."""
    settings = {"refine_steps": 3, "control_steps": 1, "rule": "temporal"}
    shorter, longer = _request(num_frames, **settings), _request(70, **settings)
    plan = preset(confiner.resolve_plan(shorter, chain))
    first, second = _latents(_events(shorter, chain, plan)), _latents(_events(longer, chain, plan))
    same = [torch.equal(first[:, :, frame], second[:, :, frame]) for frame in range(num_frames)]
    unchanged = frame_layout(shorter, chain, plan).unchanged_by_length
    assert num_frames - 32 < unchanged <= num_frames
    assert all(same[:unchanged])
    assert not any(same[unchanged:])


@pytest.mark.parametrize("structure", [False, True])
def test_a_shot_resumed_after_any_event_is_the_same(chain: Chain, tmp_path: Path, structure: bool) -> None:
    settings = (
        {"structure": _structure(18), "refine_steps": 1} if structure else {"refine_steps": 2, "rule": "temporal"}
    )
    request = _request(18, control_steps=2, **settings)
    plan = confiner.resolve_plan(request, chain)
    events = _events(request, chain, plan)
    for number, event in enumerate(events):
        path = tmp_path / "state.safetensors"
        confiner.save_state(event.state, path, request, plan)
        rest = _events(request, chain, plan, confiner.load_state(path, request, plan))
        assert [type(one) for one in rest] == [type(one) for one in events[number + 1 :]]
        if number + 1 < len(events):
            assert np.array_equal(_frames(events[: number + 1] + rest), _frames(events))


def test_first_frames_leave_early_and_the_state_stays_small(chain: Chain) -> None:
    request = _request(160, refine_steps=2, control_steps=1, rule="temporal")
    events = _events(request, chain)
    first = next(number for number, event in enumerate(events) if isinstance(event, FramesDone))
    made = sum(event.frames for event in events[:first] if isinstance(event, StructureReady))
    assert made <= 32
    middle, late = (
        max(event.state.live_bytes for event in events[len(events) * a // 10 : len(events) * (a + 1) // 10])
        for a in (4, 8)
    )
    assert late == middle


def test_segments_in_lock_step_are_nearly_those_made_one_by_one(chain: Chain) -> None:
    request = _request(40, refine_steps=2, control_steps=2)
    plan = confiner.resolve_plan(request, chain)
    single = _latents(_events(request, chain, plan))
    batched = _latents(_events(request, chain, replace(plan, segment_batch=3)))
    assert (single - batched).abs().max() < 1e-4 * single.abs().max()


@pytest.mark.parametrize(
    "change",
    [
        {"windows": "fixed"},
        {"overlap": False},
        {"initial_noise": "random"},
        {"initial_noise": "shared"},
        {"coherence": 0.0},
        {"coherence_space": "eps"},
        {"coherence_space": "x0"},
    ],
)
def test_every_switch_of_a_long_shot_is_at_work(chain: Chain, change: dict[str, object]) -> None:
    request = _request(34, refine_steps=2, control_steps=2, rule="temporal")
    plan = confiner.resolve_plan(request, chain)
    changed = _latents(_events(request, chain, replace(plan, **change)))  # type: ignore[arg-type]
    assert changed.isfinite().all()
    assert not torch.equal(changed, _latents(_events(request, chain, plan)))


def test_the_papers_preset_is_its_literal_setting(chain: Chain) -> None:
    plan = confiner.paper_preset(confiner.resolve_plan(_request(64), chain))
    assert (plan.windows, plan.overlap, plan.edges, plan.initial_noise) == ("fixed", False, "keep", "shuffle")
    assert (plan.coherence_space, plan.hinge_noise, plan.timestep_map) == (
        "eps",
        "fresh",
        "same",
    )


def test_nothing_of_torch_leaks_to_who_pulls(chain: Chain) -> None:
    request = _request(4, refine_steps=1, control_steps=1)
    plan = replace(confiner.resolve_plan(request, chain), threads=2)
    threads = torch.get_num_threads()
    for _ in confiner.generate(request, chain, plan):
        assert torch.is_grad_enabled()
        assert torch.get_num_threads() == threads
        assert torch.backends.cuda.flash_sdp_enabled()


def test_to_cancel_is_to_stop_pulling(chain: Chain) -> None:
    request = _request(4)
    shot = confiner.generate(request, chain, confiner.resolve_plan(request, chain))
    events = list(islice(shot, 3))
    shot.close()  # type: ignore[attr-defined]
    assert len(events) == 3
    assert _events(request, chain, state=events[-1].state)


def test_previews_are_small_pictures(chain: Chain) -> None:
    events = _events(_request(16, width=48), chain)
    previews = [event.preview for event in events if isinstance(event, StepDone)]
    assert all(preview.shape == (8, 12, 3) and preview.dtype == np.uint8 for preview in previews)
    assert not np.array_equal(previews[0], previews[-1])


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": "  "}, "an empty prompt"),
        ({"num_frames": 0}, "0 frames"),
        ({"width": 40}, "a size of 40×32"),
        ({"seed": -1}, "seed -1"),
        ({"fps": 0.0}, "fps 0"),
        ({"rule": "best"}, "the rule 'best'"),
        ({"freedom": 0}, "a freedom of 0"),
        ({"freedom": 1000}, "a freedom of 1000"),
        ({"freedom": 3, "refine_steps": 5}, "5 refinement steps"),
        ({"freedom": 3}, "5 refinement steps"),
        ({"refine_steps": 0}, "0 refinement steps"),
        ({"control_steps": 0}, "0 control steps"),
    ],
)
def test_what_cannot_be_made_is_refused_with_a_sentence(chain: Chain, changes: dict[str, object], words: str) -> None:
    with pytest.raises(RequestError, match=words) as caught:
        confiner.resolve_plan(_request(**changes), chain)  # type: ignore[arg-type]
    assert caught.value.remedy


@pytest.mark.parametrize("shape", [(15, 32, 32, 3), (16, 32, 48, 3), (16, 32, 32, 4), (16, 32, 32)])
def test_structure_frames_that_do_not_fit_are_refused(chain: Chain, shape: tuple[int, ...]) -> None:
    with pytest.raises(StructureError):
        confiner.resolve_plan(_request(structure=np.zeros(shape, dtype=np.uint8)), chain)
    with pytest.raises(StructureError):
        confiner.resolve_plan(_request(structure=np.zeros((16, 32, 32, 3), dtype=np.float32)), chain)


def test_a_plan_for_other_weights_is_refused(chain: Chain) -> None:
    request = _request(4)
    plan = confiner.resolve_plan(request, chain)
    other = replace(plan, weights={**plan.weights, "vae": "0" * 64})
    with pytest.raises(StateError, match="differs from the plan's in vae"):
        next(confiner.generate(request, chain, other))
    with pytest.raises(StateError, match="device, dtype"):
        next(confiner.generate(request, chain, replace(plan, device="cuda:0", dtype="float16")))
