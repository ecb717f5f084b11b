# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a take holds what is needed to make it again."""

from __future__ import annotations

import json
from dataclasses import replace

import confiner
import numpy as np
from confiner.generation.take_record import frame_hash
from confiner.loading.chain import Chain


def test_a_record_makes_the_same_take_again(chain: Chain) -> None:
    request = confiner.ClipRequest(
        prompt="a cube", num_frames=3, width=32, height=32, seed=2**62 + 1, control_steps=1, refine_steps=1
    )
    plan = confiner.resolve_plan(request, chain)
    frames = [
        frame
        for event in confiner.generate(request, chain, plan)
        if isinstance(event, confiner.FramesDone)
        for frame in event.frames
    ]
    record = confiner.take_record(request, chain, plan, [frame_hash(frame) for frame in frames])
    kept = json.loads(json.dumps(record))

    request, plan = confiner.ClipRequest(**kept["request"]), confiner.Plan.from_json(kept["plan"])
    again = [event for event in confiner.generate(request, chain, plan) if isinstance(event, confiner.FramesDone)]
    assert [frame_hash(frame) for event in again for frame in event.frames] == kept["frames"]
    assert request.digest() == kept["request_digest"]
    assert kept["weights"] == chain.weights
    assert kept["chain"]["name"] == "tiny"
    assert {"torch", "diffusers", "python"} <= kept["versions"].keys()


def test_a_digest_names_all_of_the_request() -> None:
    pictures = np.zeros((2, 32, 32, 3), dtype=np.uint8)
    request = confiner.ClipRequest(prompt="a", num_frames=2, width=32, height=32, structure=pictures)
    other_pixel = pictures.copy()
    other_pixel[1, 5, 5, 0] = 1
    others = [replace(request, prompt="b"), replace(request, seed=1), replace(request, structure=other_pixel)]
    digests = {request.digest(), *(other.digest() for other in others)}
    assert len(digests) == 4
    assert replace(request, structure=pictures.copy()).digest() == request.digest()
