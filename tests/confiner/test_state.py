# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints: whole, and only for the request and plan they were saved by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import confiner
import pytest
from confiner.errors import StateError
from confiner.generation.plan import Plan
from confiner.generation.state import ShotState
from confiner.loading.chain import Chain

REQUEST = confiner.ClipRequest(prompt="a cube", num_frames=4, width=32, height=32, refine_steps=1, control_steps=1)


@pytest.fixture
def plan(chain: Chain) -> Plan:
    return confiner.resolve_plan(REQUEST, chain)


@pytest.fixture
def state(chain: Chain, plan: Plan) -> ShotState:
    return next(confiner.generate(REQUEST, chain, plan)).state


def test_a_checkpoint_is_about_as_large_as_the_frames_in_flight(state: ShotState, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    confiner.save_state(state, path, REQUEST, plan)
    assert state.live_bytes <= path.stat().st_size <= state.live_bytes + 10_000
    assert list(tmp_path.iterdir()) == [path]


def test_another_requests_checkpoint_is_refused(state: ShotState, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    confiner.save_state(state, path, REQUEST, plan)
    with pytest.raises(StateError, match="another request"):
        confiner.load_state(path, replace(REQUEST, prompt="a sphere"), plan)
    with pytest.raises(StateError, match="plan differs in freedom, threads"):
        confiner.load_state(path, REQUEST, replace(plan, freedom=7, threads=64))


def test_half_a_checkpoint_is_refused(state: ShotState, plan: Plan, tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    confiner.save_state(state, path, REQUEST, plan)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(StateError, match="a whole checkpoint"):
        confiner.load_state(path, REQUEST, plan)
    with pytest.raises(StateError, match="absent"):
        confiner.load_state(tmp_path / "absent", REQUEST, plan)


def test_a_plan_of_another_version_is_refused(plan: Plan) -> None:
    values = plan.to_json()
    values["colour"] = values.pop("rule")
    with pytest.raises(StateError, match="colour, rule"):
        Plan.from_json(values)


def test_a_plan_of_the_first_version_does_what_it_did(plan: Plan) -> None:
    values = plan.to_json()
    for later in ("edges", "overlap", "vae_tiling"):
        del values[later]
    assert Plan.from_json(values) == replace(plan, edges="whole", overlap=False, vae_tiling=False)
