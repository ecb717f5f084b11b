# SPDX-License-Identifier: GPL-3.0-or-later
"""Do clips show what their prompts say? Prompts are drawn from the grammar, the judge looks at what came of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from confiner import Chain, ClipRequest, Event, FramesDone, StructureReady, generate, resolve_plan
from numpy.typing import NDArray

from ..drawing.sheet import Row, draw_sheet
from ..judge.network import CLIP_FRAMES, Judge
from ..judge.sight import visible_frames
from ..judge.verdict import Verdict, judge_clip
from ..world import ATTRIBUTES, Clip, caption, random_clip, render_clip
from .interval import Estimate, mean, median, rate, ratio, to_json
from .likeness import flicker, sharpness

PROMPT_STREAM = 0x70726F6D
"""Keeps these prompts apart from the clips of any training that uses the same seed."""

STRUCTURE = "structure"
"""In place of a rule: the control expert's coarse video V0 as it is, which every refinement has to beat."""


@dataclass(frozen=True)
class Sentence:
    """A prompt and what it says, as the clip of the world that it describes."""

    prompt: str
    meant: Clip
    seed: int


@dataclass(frozen=True)
class Trial:
    """What came of a prompt, what the judge saw in it, and how it compares with the real clip.

    `sharpness` is relative to the real clip's. A still before a static camera has no flicker to divide by.
    """

    sentence: Sentence
    frames: NDArray[np.uint8]
    verdict: Verdict
    flicker: float
    real_flicker: float
    sharpness: float
    seconds: float

    def shows(self, attribute: str) -> bool:
        return self.verdict.name(attribute) == getattr(self.sentence.meant, attribute)

    @property
    def wrong(self) -> list[str]:
        """The attributes that the clip does not show as it should."""
        return [attribute for attribute in ATTRIBUTES if not self.shows(attribute)]

    @property
    def constant(self) -> bool:
        """Whether the object keeps its colour and its shape in every frame in which the real clip shows half of it."""
        seen = visible_frames(self.sentence.meant)
        return self.verdict.is_constant("colour", seen) and self.verdict.is_constant("shape", seen)


@dataclass(frozen=True)
class Setting:
    """How the clips are made: by a rule, or `STRUCTURE` alone; `freedom` None is the chain's."""

    rule: str
    freedom: int | None
    control_steps: int
    refine_steps: int

    @property
    def name(self) -> str:
        steps = f"{self.control_steps}" if self.rule == STRUCTURE else f"{self.control_steps}+{self.refine_steps}"
        return f"{self.rule} {steps}"


def draw_sentences(count: int, seed: int, *, width: int, height: int) -> list[Sentence]:
    """Prompts that name colour, shape, ground and time; what no word names stands still before a static camera."""
    rng = np.random.default_rng([PROMPT_STREAM, seed])
    sentences = []
    for number in range(count):
        drawn = random_clip(rng, width=width, height=height)
        meant = Clip(**{name: getattr(drawn, name) for name in ATTRIBUTES}, seed=drawn.seed, width=width, height=height)
        sentences.append(Sentence(caption(meant, rng), meant, seed + number))
    return sentences


def evaluate(
    chain: Chain,
    judge: Judge,
    sentences: Sequence[Sentence],
    setting: Setting,
    *,
    done: Callable[[Trial], None] = lambda trial: None,
) -> list[Trial]:
    """Make and judge a clip of each sentence; `done` hears of each as it comes."""
    trials = []
    pictures = _structure_pictures if setting.rule == STRUCTURE else _clip_pictures
    for sentence in sentences:
        request = ClipRequest(
            prompt=sentence.prompt,
            num_frames=CLIP_FRAMES,
            width=sentence.meant.width,
            height=sentence.meant.height,
            seed=sentence.seed,
            fps=chain.spec.fps,
            rule="standard" if setting.rule == STRUCTURE else setting.rule,
            freedom=setting.freedom,
            control_steps=setting.control_steps,
            refine_steps=setting.refine_steps,
        )
        trials.append(_try(chain, judge, sentence, request, pictures))
        done(trials[-1])
    return trials


Pictures = Callable[[Iterator[Event], Chain], NDArray[np.uint8]]


def _clip_pictures(events: Iterator[Event], chain: Chain) -> NDArray[np.uint8]:
    return np.concatenate([event.frames for event in events if isinstance(event, FramesDone)])


def _structure_pictures(events: Iterator[Event], chain: Chain) -> NDArray[np.uint8]:
    """V0 decoded, and nothing done after it."""
    ready = next(event for event in events if isinstance(event, StructureReady))
    structure = ready.state.levels[0].cut(0, ready.frames).x0
    groups = structure.split(chain.memory.decode_frames, dim=2)
    return np.concatenate([chain.space.decode(group, tiling=chain.memory.vae_tiling) for group in groups])


def _try(chain: Chain, judge: Judge, sentence: Sentence, request: ClipRequest, pictures: Pictures) -> Trial:
    began = time.perf_counter()
    frames = pictures(generate(request, chain, resolve_plan(request, chain)), chain)
    seconds = time.perf_counter() - began
    real = render_clip(sentence.meant, CLIP_FRAMES)
    return Trial(
        sentence=sentence,
        frames=frames,
        verdict=judge_clip(judge, frames),
        flicker=flicker(frames),
        real_flicker=flicker(real),
        sharpness=sharpness(frames) / sharpness(real),
        seconds=seconds,
    )


def summary(trials: Sequence[Trial], seed: int) -> dict[str, Estimate]:
    """Every figure of the trials; flicker is all clips' to all real clips', sharpness the median of each clip's."""
    figures = {attribute: rate([trial.shows(attribute) for trial in trials]) for attribute in ATTRIBUTES}
    figures["all six"] = rate([not trial.wrong for trial in trials])
    figures["constant"] = rate([trial.constant for trial in trials])
    figures["flicker"] = ratio([trial.flicker for trial in trials], [trial.real_flicker for trial in trials], seed)
    figures["sharpness"] = median([trial.sharpness for trial in trials], seed)
    figures["seconds"] = mean([trial.seconds for trial in trials], seed)
    return figures


def difference(trials: Sequence[Trial], others: Sequence[Trial], seed: int) -> Estimate:
    """How many more of the six attributes a clip shows rightly than the same sentence's clip among `others`."""
    pairs = zip(trials, others, strict=True)
    return mean([len(other.wrong) - len(trial.wrong) for trial, other in pairs], seed)


def figures_json(trials: Sequence[Trial], first: Sequence[Trial], seed: int) -> dict[str, Any]:
    """The figures as JSON values: `attributes` for what was asked for, the rest beside it.

    `more_right_than_first` is the `difference` from the first setting's clips.
    """
    figures = summary(trials, seed)
    asked = {name: figures.pop(name) for name in ATTRIBUTES}
    figures["more right than first"] = difference(trials, first, seed)
    return {
        "count": len(trials),
        "attributes": to_json(asked),
        **to_json({name.replace(" ", "_"): figure for name, figure in figures.items()}),
        "clips": [{"prompt": trial.sentence.prompt, "wrong": trial.wrong} for trial in trials],
    }


def draw_trials(trials: Sequence[Trial], path: Path) -> None:
    """A contact sheet of the clips, each under its prompt; what is wrong is named after it."""
    rows = [
        Row(trial.sentence.prompt + (f"   ✗ {', '.join(trial.wrong)}" if trial.wrong else ""), trial.frames)
        for trial in trials
    ]
    draw_sheet(rows, path, shown=8, across=2, frame_height=80)
