# SPDX-License-Identifier: GPL-3.0-or-later
"""Do results follow their structure frames, and take on the prompted colour? Grey boxes on known paths tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from confiner import Chain, ClipRequest, FramesDone, generate, resolve_plan
from numpy.typing import NDArray

from ..drawing.plot import Line, draw_plot
from ..drawing.sheet import Row, draw_sheet
from ..world import GROUNDS, SHAPES
from .colour import name_colour
from .interval import Estimate, median, rate, to_json
from .paths import PATHS
from .tracker import path_correlation, track
from .workbench import StructureClip, render_structure

COLOURS = ("red", "yellow", "green", "blue")


@dataclass(frozen=True)
class Trial:
    """One result: what was asked for, how well its object keeps to the path, and which colour it has."""

    clip: StructureClip
    colour: str
    prompt: str
    frames: NDArray[np.uint8]
    correlation: float
    named: str
    seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "path": self.clip.path,
            "prompt": self.prompt,
            "correlation": round(self.correlation, 4),
            "colour": self.colour,
            "seen_colour": self.named,
            "seconds": round(self.seconds, 3),
        }


@dataclass(frozen=True)
class Result:
    """The trials at one freedom (T_e) and number of refinement steps (T2)."""

    freedom: int
    refine_steps: int
    rule: str
    trials: list[Trial]

    def correlation(self, seed: int) -> Estimate:
        return median([trial.correlation for trial in self.trials], seed)

    def colour(self) -> Estimate:
        return rate([trial.named == trial.colour for trial in self.trials])

    def to_json(self, seed: int) -> dict[str, Any]:
        return {
            "freedom": self.freedom,
            "refine_steps": self.refine_steps,
            "rule": self.rule,
            **to_json({"median_correlation": self.correlation(seed), "prompted_colour": self.colour()}),
            "seconds_per_clip": round(float(np.median([trial.seconds for trial in self.trials])), 3),
            "clips": [trial.to_json() for trial in self.trials],
        }


def render_clips(blender: Path, *, width: int, height: int, num_frames: int = 16) -> list[StructureClip]:
    """Grey boxes on every path, the shapes in turn, rendered by Blender."""
    shapes = [SHAPES[index % len(SHAPES)] for index in range(len(PATHS))]
    return render_structure(blender, list(PATHS), shapes, num_frames=num_frames, width=width, height=height)


def evaluate(
    chain: Chain,
    clips: Sequence[StructureClip],
    *,
    seed: int,
    freedom: int,
    refine_steps: int,
    rule: str = "coordinated",
    done: Callable[[Trial], None] = lambda trial: None,
) -> Result:
    """Every clip in every colour at one freedom; `done` hears of each result as it comes."""
    trials = []
    for number, (clip, colour) in enumerate((clip, colour) for clip in clips for colour in COLOURS):
        ground = GROUNDS[(number + number // len(COLOURS)) % len(GROUNDS)]
        height, width = clip.frames.shape[1:3]
        request = ClipRequest(
            prompt=f"a {colour} {clip.shape} on {ground} at noon",
            num_frames=len(clip.frames),
            width=width,
            height=height,
            seed=seed + number,
            fps=chain.spec.fps,
            rule=rule,
            freedom=freedom,
            refine_steps=refine_steps,
            structure=clip.frames,
        )
        trials.append(_try(chain, request, clip, colour))
        done(trials[-1])
    return Result(freedom, refine_steps, rule, trials)


def _try(chain: Chain, request: ClipRequest, clip: StructureClip, colour: str) -> Trial:
    began = time.perf_counter()
    events = generate(request, chain, resolve_plan(request, chain))
    frames = np.concatenate([event.frames for event in events if isinstance(event, FramesDone)])
    return Trial(
        clip=clip,
        colour=colour,
        prompt=request.prompt,
        frames=frames,
        correlation=path_correlation(track(frames), clip.truth),
        named=name_colour(frames, clip.truth),
        seconds=time.perf_counter() - began,
    )


def draw_results(result: Result, path: Path) -> None:
    """A contact sheet: a column for each path, its structure frames above the results in each colour."""
    across = 4
    by_path = [result.trials[start : start + len(COLOURS)] for start in range(0, len(result.trials), len(COLOURS))]
    rows = []
    for start in range(0, len(by_path), across):
        block = by_path[start : start + across]
        rows += [Row(f"structure: {trials[0].clip.path}", trials[0].clip.frames) for trials in block]
        for number in range(len(COLOURS)):
            rows += [_result_row(trials[number]) for trials in block]
    draw_sheet(rows, path, shown=4, across=across, frame_height=72)


def _result_row(trial: Trial) -> Row:
    return Row(f"{trial.prompt}   r {trial.correlation:.2f}", trial.frames)


def draw_sweep(results: Sequence[Result], seed: int, path: Path) -> None:
    """A plot of both measures over the freedom."""
    measures = {
        "path followed (median correlation)": [result.correlation(seed) for result in results],
        "prompted colour (part of clips)": [result.colour() for result in results],
    }
    lines = [
        Line(
            name,
            [(float(result.freedom), found.value) for result, found in zip(results, estimates, strict=True)],
            [(found.low, found.high) for found in estimates],
        )
        for name, estimates in measures.items()
    ]
    draw_plot(lines, path, title="Structure frames: path kept against colour taken", across="freedom (T_e)")
