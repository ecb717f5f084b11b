# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds of one clip, by stage: the library alone, the experts loaded beforehand."""

from __future__ import annotations

import dataclasses
import statistics
import time
from dataclasses import dataclass

from confiner import Chain, ClipRequest, FramesDone, StepDone, StructureReady, generate, resolve_plan

STAGES = ("control", "refine", "decode")


@dataclass(frozen=True)
class Timing:
    """Seconds of one run, in all and by stage, and the model evaluations it took (NFE)."""

    seconds: float
    stages: dict[str, float]
    evaluations: int


def time_clip(request: ClipRequest, chain: Chain) -> Timing:
    """Make the clip once. The time before an event belongs to the stage that the event reports."""
    plan = resolve_plan(request, chain)
    stages = dict.fromkeys(STAGES, 0.0)
    evaluations = 0
    began = last = time.perf_counter()
    for event in generate(request, chain, plan):
        now = time.perf_counter()
        match event:
            case StepDone():
                stages[event.stage] += now - last
                evaluations = event.evaluations_total
            case StructureReady():
                stages["control"] += now - last
            case FramesDone():
                stages["decode"] += now - last
        last = now
    return Timing(last - began, stages, evaluations)


def time_clips(request: ClipRequest, chain: Chain, runs: int) -> list[Timing]:
    """`runs` timings with a seed of their own each, after one run that is not counted."""
    requests = [dataclasses.replace(request, seed=request.seed + run) for run in range(runs + 1)]
    return [time_clip(each, chain) for each in requests][1:]


def medians(timings: list[Timing]) -> dict[str, float]:
    """The median seconds, in all (`clip`) and by stage."""
    by_stage = {stage: statistics.median(timing.stages[stage] for timing in timings) for stage in STAGES}
    return {"clip": statistics.median(timing.seconds for timing in timings), **by_stage}
