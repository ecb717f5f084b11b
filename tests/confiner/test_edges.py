# SPDX-License-Identifier: GPL-3.0-or-later
"""What becomes of the windows that a shot's ends cut in half: always as many frames as were asked for."""

from __future__ import annotations

from dataclasses import replace

import confiner
import numpy as np
import pytest
import torch
from confiner.errors import StructureError
from confiner.generation.events import FramesDone, StepDone, StructureReady
from confiner.generation.plan import Plan
from confiner.generation.prepared_shot import PreparedShot, prepare
from confiner.loading.chain import Chain
from confiner.method.windows import Layout, Window

EDGES = ["whole", "keep", "drop-tail", "drop"]


def _request(num_frames: int, **changes: object) -> confiner.ClipRequest:
    values = {"prompt": "a red cube", "width": 32, "height": 32, "seed": 3, "rule": "temporal"}
    steps = {"control_steps": 1, "refine_steps": 2}
    return confiner.ClipRequest(**{**values, **steps, "num_frames": num_frames, **changes})  # type: ignore[arg-type]


def _plan(request: confiner.ClipRequest, chain: Chain, edges: str, windows: str = "fixed") -> Plan:
    plan = confiner.resolve_plan(request, chain)
    return replace(plan, edges=edges, windows=windows, overlap=windows == "rotating")  # type: ignore[arg-type]


def _shot(num_frames: int, chain: Chain, edges: str) -> PreparedShot:
    request = _request(num_frames)
    return prepare(request, chain, _plan(request, chain, edges))


def test_the_papers_windows_are_halves_at_both_ends() -> None:
    """[0, L/2), then [L/2 + jL, L/2 + (j+1)L) for j = 0 … N−2, then the tail half (METHOD 3.3)."""
    found = Layout(8, 16, 16, whole=False).windows(48)
    assert found == [Window(0, 8, 0, 8), Window(8, 24, 8, 24), Window(24, 40, 24, 40), Window(40, 48, 40, 48)]


@pytest.mark.parametrize("num_frames", [1, 7, 16, 17, 24, 25, 33, 100])
@pytest.mark.parametrize("edges", EDGES)
def test_halves_are_kept_or_made_in_surplus(chain: Chain, edges: str, num_frames: int) -> None:
    shot = _shot(num_frames, chain, edges)
    kept = range(shot.layout.lead_in, shot.layout.lead_in + num_frames)
    assert kept.stop <= shot.layout.length
    halves = [
        window for window in Layout(8, 16, 16, whole=False).windows(shot.layout.length) if len(window.frames) < 16
    ]
    beginning, end = (halves[0].frames, halves[-1].frames) if shot.layout.length > 16 else (range(0), range(0))
    if edges == "drop":
        assert not set(kept) & {*beginning, *end}
    elif edges == "drop-tail":
        assert not set(kept) & set(end)
    elif edges == "keep":
        assert shot.layout.length == 16 * -(-num_frames // 16)
    assert shot.layout.needed[-1] == kept.stop
    assert list(shot.layout.needed) == sorted(shot.layout.needed, reverse=True)


@pytest.mark.parametrize("windows", ["fixed", "rotating"])
@pytest.mark.parametrize("edges", EDGES)
@pytest.mark.parametrize("num_frames", [1, 17, 33])
def test_as_many_frames_come_out_as_were_asked_for(chain: Chain, num_frames: int, edges: str, windows: str) -> None:
    request = _request(num_frames)
    events = list(confiner.generate(request, chain, _plan(request, chain, edges, windows)))
    done = [event for event in events if isinstance(event, FramesDone)]
    assert [frame for event in done for frame in range(event.start, event.start + len(event.frames))] == list(
        range(num_frames)
    )
    steps = [event for event in events if isinstance(event, StepDone)]
    assert steps[-1].evaluations == steps[-1].evaluations_total
    for stage in ("control", "refine"):
        own = [event for event in steps if event.stage == stage]
        assert [event.step for event in own] == list(range(1, own[0].steps + 1))
    assert all(event.start >= 0 for event in events)


def test_dropped_frames_lie_before_the_first_moment(chain: Chain) -> None:
    """What the text says of a frame is said of the frame that is delivered under that number."""
    shot, plain = _shot(20, chain, "drop"), _shot(20, chain, "keep")
    theirs = shot.refine_step(0, Window(8, 24, 8, 24)).T.prompt_embeds
    assert torch.equal(theirs.prompt, plain.refine_step(0, Window(0, 16, 0, 16)).T.prompt_embeds.prompt)
    told = shot.segment_embeds(range(1)).prompt[0]
    assert torch.equal(told[8:], plain.segment_embeds(range(1)).prompt[0][:8])


def test_first_frames_of_the_papers_windows_need_one_segment(chain: Chain) -> None:
    request = _request(64)
    for edges, segments in (("keep", 1), ("whole", 2)):
        events = list(confiner.generate(request, chain, _plan(request, chain, edges)))
        first = next(number for number, event in enumerate(events) if isinstance(event, FramesDone))
        assert len([event for event in events[:first] if isinstance(event, StructureReady)]) == segments


def test_first_frames_leave_before_a_few_clips_are_made(chain: Chain) -> None:
    """In model evaluations: at most 1.5 clips of 16 frames with fixed windows, 3 with rotating ones."""
    settings = {"control_steps": 4, "refine_steps": 5, "rule": "coordinated"}
    clip = prepare(_request(16, **settings), chain, confiner.resolve_plan(_request(16, **settings), chain))
    request = _request(80, **settings)
    for plan, most in (
        (confiner.paper_preset(confiner.resolve_plan(request, chain)), 1.5),
        (confiner.resolve_plan(request, chain), 3.0),
    ):
        done = 0
        for event in confiner.generate(request, chain, plan):
            if isinstance(event, FramesDone):
                break
            done = event.state.evaluations
        assert done <= most * clip.evaluations


def test_structure_frames_have_nothing_beyond_their_ends(chain: Chain) -> None:
    request = _request(20, structure=np.zeros((20, 32, 32, 3), dtype=np.uint8))
    kept = list(confiner.generate(request, chain, _plan(request, chain, "keep")))
    assert sum(len(event.frames) for event in kept if isinstance(event, FramesDone)) == 20
    with pytest.raises(StructureError, match="edges 'drop' for 20 structure frames"):
        next(confiner.generate(request, chain, _plan(request, chain, "drop")))
