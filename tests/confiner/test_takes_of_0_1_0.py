# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes and chain files that version 0.1.0 wrote: read, made again, and made longer."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import confiner
import numpy as np
import pytest
from confiner.generation.prepared_shot import frame_layout
from PIL import Image

THEN = Path(__file__).parent.parent / "made_by_0_1_0"
TAKES = sorted(folder.name for folder in (THEN / "takes").iterdir())
ROUNDING = 2
"""Levels of 255 by which another processor's arithmetic may differ."""


@pytest.fixture(scope="module")
def chain() -> confiner.Chain:
    return confiner.load_chain(confiner.read_chains()["bundled"])


def record_of(take: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((THEN / "takes" / take / "take.json").read_text())
    return record


def frames_of(take: str) -> np.ndarray:
    paths = sorted((THEN / "takes" / take).glob("frame_*.png"))
    return np.stack([np.asarray(Image.open(path).convert("RGB")) for path in paths])


def made_of(request: confiner.ClipRequest, chain: confiner.Chain, plan: confiner.Plan) -> np.ndarray:
    events = confiner.generate(request, chain, plan)
    return np.concatenate([event.frames for event in events if isinstance(event, confiner.FramesDone)])


@pytest.mark.parametrize("take", TAKES)
def test_its_record_is_read_and_names_the_request_that_it_was_made_from(take: str) -> None:
    record = record_of(take)
    request = confiner.ClipRequest.from_settings(record["request"])
    assert confiner.Plan.from_json(record["plan"]).rule == request.rule
    if record["structure"] is None:
        assert request.digest() == record["request_digest"]


@pytest.mark.parametrize("take", [take for take in TAKES if take != "structure"])
def test_it_is_made_again(chain: confiner.Chain, take: str) -> None:
    record = record_of(take)
    request, plan = confiner.ClipRequest.from_settings(record["request"]), confiner.Plan.from_json(record["plan"])
    assert {name: plan.weights[name] for name in chain.weights} == chain.weights
    apart = np.abs(made_of(request, chain, plan).astype(int) - frames_of(take))
    assert apart.max() <= ROUNDING


def test_it_is_made_longer_and_begins_with_the_same_frames(chain: confiner.Chain) -> None:
    record = record_of("two-prompts")
    request, plan = confiner.ClipRequest.from_settings(record["request"]), confiner.Plan.from_json(record["plan"])
    kept = frame_layout(request, chain, plan).unchanged_by_length
    longer = made_of(replace(request, num_frames=56), chain, plan)
    assert kept > 0
    assert len(longer) == 56
    assert np.abs(longer[:kept].astype(int) - frames_of("two-prompts")[:kept]).max() <= ROUNDING


def test_its_chain_file_is_read() -> None:
    mine = confiner.read_chains(THEN / "chains.toml")["mine"]
    assert (mine.title, mine.freedom, mine.refine_steps) == ("Mine", 150, 6)
    assert mine.control.unet.folder() == confiner.read_chains()["bundled"].control.unet.folder()
