# SPDX-License-Identifier: GPL-3.0-or-later
"""Each expert alone, judged: `python -m confiner_lab.training.measure --out DIR control --steps 4 10 20 50`.

Clips from pure noise, of prompts that say all there is to say. Both judges look at each, beside the real clips.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ..evaluate.likeness import flicker, sharpness
from ..jury import training as jury
from ..jury.verdict import Verdict, judge_clip
from ..scenery import Clip, caption, random_clip, render_clip
from .experts import Change, Sampler
from .settings import Settings
from .stages import Training

STREAM = 0x6D656173
"""Keeps these prompts apart from any training's with the same seed."""
JUDGES = ("painter", "asker")
QUESTIONS = ("colour", "shape", "ground", "time", "motion", "camera", "count")


@dataclass(frozen=True)
class Trial:
    """A prompt, what came of it, and what each judge says."""

    prompt: str
    meant: Clip
    frames: NDArray[np.uint8]
    real: NDArray[np.uint8]
    verdicts: dict[str, Verdict]


def prompts(count: int, seed: int, size: tuple[int, int]) -> list[tuple[str, Clip]]:
    rng = np.random.default_rng([STREAM, seed])
    clips = [random_clip(rng, size=size, start=0) for _ in range(count)]
    return [(caption(clip, rng), clip) for clip in clips]


def judges(training: Training) -> dict[str, nn.Module]:
    """Those that are trained by now."""
    ready = [name for name in JUDGES if (training.folder / f"{name}.pt").exists()]
    return {name: training.finished(name, jury.build(name)) for name in ready}


def figures(trials: list[Trial]) -> dict[str, object]:
    """What the judges say, and the likeness to the real clips."""
    said = {name: _said([trial.verdicts[name] for trial in trials]) for name in trials[0].verdicts}
    return {"clips": len(trials), "likeness": likeness(trials), **said}


def likeness(trials: list[Trial]) -> dict[str, float]:
    """Relative to the real clips: 1 is as they are. Flicker is all clips' to all clips'."""
    made, real = ([getattr(trial, kind) for trial in trials] for kind in ("frames", "real"))
    return {
        "flicker": sum(map(flicker, made)) / sum(map(flicker, real)),
        "sharpness": float(np.median([sharpness(a) / sharpness(b) for a, b in zip(made, real, strict=True)])),
        "contrast": float(np.median([a.std() / b.std() for a, b in zip(made, real, strict=True)])),
        "saturation": sum(map(_saturation, made)) / sum(map(_saturation, real)),
    }


def _saturation(frames: NDArray[np.uint8]) -> float:
    return float((frames.max(-1).astype(float) - frames.min(-1)).mean())


def _said(verdicts: list[Verdict]) -> dict[str, float]:
    seen = sum(int(verdict.seen.sum()) for verdict in verdicts)
    lost = [int(verdict.lost.sum()) for verdict in verdicts]
    right = {name: float(np.mean([name not in verdict.wrong for verdict in verdicts])) for name in QUESTIONS}
    return right | {
        "all": float(np.mean([not verdict.wrong for verdict in verdicts])),
        "same": float(np.mean([verdict.same.all() for verdict in verdicts])),
        "frames lost": sum(lost) / max(seen, 1),
        "clips with more than one frame lost": float(np.mean([count > 1 for count in lost])),
    }


def largest_step(frames: NDArray[np.uint8]) -> float:
    """The largest change from frame to frame, relative to the median one."""
    changes = np.abs(np.diff(frames.astype(float), axis=0)).mean((1, 2, 3))
    return float(changes.max() / np.median(changes))


def passages(sampler: Sampler, name: str, *, count: int, steps: int, length: int, seed: int) -> list[float]:
    """The largest steps of clips in which a prompt becomes another within `length` frames."""
    asked = prompts(2 * count, seed + 1, (128, 72))
    found = []
    for number, ((first, _), (second, _)) in enumerate(zip(asked[::2], asked[1::2], strict=True)):
        then = Change(second, (16 - length) // 2, length)
        frames = sampler.clip(name, first, steps=steps, size=(128, 72), seed=seed + number, then=then)
        inside = slice(then.begin, then.begin + length + 1)
        found.append(largest_step(frames[inside]))
    return found


def main() -> None:
    options = _parser().parse_args()
    torch.set_num_threads(options.threads)
    training = Training(options.out, Settings(seed=options.seed))
    sampler, panel = Sampler(training), judges(training)
    size = (72, 72) if options.square else (128, 72)
    results: dict[str, object] = {}
    for steps in options.steps:
        trials = []
        for number, (prompt, clip) in enumerate(prompts(options.count, options.prompts_seed, size)):
            real = render_clip(clip)
            frames = sampler.clip(
                options.name, prompt, steps=steps, size=size, seed=number, guidance=options.guidance, told=options.told
            )
            said = {name: judge_clip(judge, frames, clip) for name, judge in panel.items()}
            trials.append(Trial(prompt, clip, frames, real, said))
        results[str(steps)] = figures(trials)
        print(steps, json.dumps(results[str(steps)], indent=1), flush=True)
    if options.passages:
        found = passages(sampler, options.name, count=options.passages, steps=options.steps[0], length=8, seed=7)
        results["largest step of a passage"] = found
        print("passages", found, flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(results, indent=1))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="confiner_lab.training.measure", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", help="sketch, frame, spatial, control or temporal")
    parser.add_argument("--out", type=Path, required=True, help="folder of the training")
    parser.add_argument("--steps", type=int, nargs="+", default=[4, 10, 20, 50])
    parser.add_argument("--count", type=int, default=24)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--untold", dest="told", action="store_false", help="do not tell which moment is shown")
    parser.add_argument("--passages", type=int, default=0, help="also this many clips whose prompt changes")
    parser.add_argument("--seed", type=int, default=1, help="of the training")
    parser.add_argument("--prompts-seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--square", action="store_true")
    parser.add_argument("--json", type=Path)
    return parser


if __name__ == "__main__":
    main()
