# SPDX-License-Identifier: GPL-3.0-or-later
"""The bundled experts: plans that differ in batches alone agree, and a shot goes on from any event byte for byte."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import confiner
import numpy as np
import pytest
import torch
from confiner import ClipRequest, FramesDone
from confiner.generation.plan import Plan
from confiner.generation.state import ShotState
from confiner.loading.chain import Chain
from numpy.typing import NDArray


@pytest.fixture(scope="module")
def bundled() -> Chain:
    return confiner.load_chain(confiner.read_chains()["bundled"])


def _request(num_frames: int) -> ClipRequest:
    return ClipRequest(
        prompt="a red cube moves left on grass at noon",
        num_frames=num_frames,
        width=64,
        height=64,
        seed=7,
        control_steps=2,
        refine_steps=2,
    )


def _made(
    request: ClipRequest, chain: Chain, plan: Plan, state: ShotState | None = None
) -> tuple[torch.Tensor, NDArray[np.int16]]:
    done = [event for event in confiner.generate(request, chain, plan, state) if isinstance(event, FramesDone)]
    frames = np.concatenate([event.frames for event in done]).astype(np.int16)
    return torch.cat([event.latents for event in done], dim=2), frames


@pytest.mark.parametrize("num_frames", [1, 7, 16, 17, 24, 33, 100])
def test_segments_in_lock_step_make_the_same_shot(bundled: Chain, num_frames: int) -> None:
    """Latents within 1e-4, pixels within one level of 255."""
    request = _request(num_frames)
    plan = confiner.resolve_plan(request, bundled)
    latents, frames = _made(request, bundled, plan)
    batched, pictures = _made(request, bundled, replace(plan, segment_batch=4))
    assert latents.shape[2] == len(frames) == num_frames
    assert (latents - batched).abs().max() <= 1e-4
    assert np.abs(frames - pictures).max() <= 1


def test_a_shot_goes_on_from_where_it_was_cut_off(bundled: Chain, tmp_path: Path) -> None:
    request, path = _request(20), tmp_path / "state.safetensors"
    plan = confiner.resolve_plan(request, bundled)
    events = list(confiner.generate(request, bundled, plan))
    frames = np.concatenate([event.frames for event in events if isinstance(event, FramesDone)])
    for number in range(2, len(events) - 1, 4):
        confiner.save_state(events[number].state, path, request, plan)
        rest = confiner.generate(request, bundled, plan, confiner.load_state(path, request, plan))
        again = [event for event in (*events[: number + 1], *rest) if isinstance(event, FramesDone)]
        assert np.array_equal(np.concatenate([event.frames for event in again]), frames)
