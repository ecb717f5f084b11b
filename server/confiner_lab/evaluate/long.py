# SPDX-License-Identifier: GPL-3.0-or-later
"""Does a long shot hold together? Shots from drawn prompts, each compared with the real clip of what its prompt says.

Pictures are looked at as they come: what is kept of a shot is its coarse picture and 16 frames at either end.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import Any

import numpy as np
import psutil
from confiner import Chain, ClipRequest
from confiner.experts.latent_space import Pictures
from numpy.typing import NDArray

from ..judge.network import CLIP_FRAMES, Judge
from ..world import PERIOD, Clip, render_clip, render_frame
from .coarse import Floats, changes, coarse, motion, unrest
from .interval import Estimate, mean, ratio, to_json
from .lasting import Score, repetition, score, wander
from .long_presets import Way
from .prompts import Sentence, draw_sentences
from .seams import hidden_seam_indices, joints, phase_profile, plain_seam_index, seam_index

SHOWN = 16
"""Frames of a shot that a contact sheet shows."""


@dataclass(frozen=True)
class Seen:
    """What was looked at of a shot while it was made. `resident_bytes` is the most that the process had in memory."""

    pictures: Floats
    first: Pictures
    last: Pictures
    shown: Pictures
    seconds: float
    first_seconds: float
    live_bytes: int
    resident_bytes: int


@dataclass(frozen=True)
class Trial:
    """A shot's figures; what is called real is the same figure of the real clip of the same length.

    `loss` is what the score lost from its first 16 frames to its last, beyond what a real clip loses there.
    `motion_16` and `seconds_16` are those of the same prompt's clip of 16 frames.
    """

    sentence: Sentence
    num_frames: int
    seam_index: float
    plain_seam_index: float
    phase_profile: NDArray[np.float64]
    loss: Score
    repetition: float
    real_repetition: float
    motion: float
    real_motion: float
    motion_16: float
    real_motion_16: float
    flicker: float
    real_flicker: float
    wander: float
    seconds: float
    first_seconds: float
    seconds_16: float
    live_bytes: int
    resident_bytes: int
    shown: NDArray[np.uint8]


def draw_moving(amount: int, seed: int, *, width: int, height: int) -> list[Sentence]:
    """Prompts of clips in which something moves: in a real clip of a still there is nothing to compare with."""
    for drawn in count(2 * amount, amount):
        sentences = draw_sentences(drawn, seed, width=width, height=height)
        moving = [each for each in sentences if (each.meant.motion, each.meant.camera) != ("still", "static")]
        if len(moving) >= amount:
            return moving[:amount]
    raise AssertionError("a count has no end")


def try_sentence(chain: Chain, way: Way, judge: Judge, sentence: Sentence, lengths: Sequence[int]) -> Iterator[Trial]:
    """Make and measure the shots of one prompt, one of each length."""
    span = chain.temporal.spec.frames
    short, _ = _watch(chain, way, sentence, CLIP_FRAMES)
    real = _real_pictures(sentence.meant, max(*lengths, CLIP_FRAMES))
    for num_frames in lengths:
        seen, phases = _watch(chain, way, sentence, num_frames)
        at = joints(phases, span, num_frames)
        changed, really = changes(seen.pictures), changes(real[:num_frames])
        yield Trial(
            sentence=sentence,
            num_frames=num_frames,
            seam_index=seam_index(changed, really, at),
            plain_seam_index=plain_seam_index(changed, really, at),
            phase_profile=phase_profile(changed, really, span),
            loss=_lost(judge, sentence.meant, seen, num_frames),
            repetition=repetition(seen.pictures, span),
            real_repetition=repetition(real[:num_frames], span),
            motion=motion(seen.pictures),
            real_motion=motion(real[:num_frames]),
            motion_16=motion(short.pictures),
            real_motion_16=motion(real[:CLIP_FRAMES]),
            flicker=unrest(seen.pictures),
            real_flicker=unrest(real[:num_frames]),
            wander=wander(seen.pictures),
            seconds=seen.seconds,
            first_seconds=seen.first_seconds,
            seconds_16=short.seconds,
            live_bytes=seen.live_bytes,
            resident_bytes=seen.resident_bytes,
            shown=seen.shown,
        )


def _watch(chain: Chain, way: Way, sentence: Sentence, num_frames: int) -> tuple[Seen, frozenset[int]]:
    """Make a shot and look at it; also where its joints are."""
    request = ClipRequest(
        prompt=sentence.prompt,
        num_frames=num_frames,
        width=sentence.meant.width,
        height=sentence.meant.height,
        seed=sentence.seed,
        fps=chain.spec.fps,
    )
    plan = way.plan(request, chain)
    return watch(way.make(request, plan), num_frames), way.phases(plan)


def watch(pieces: Iterator[tuple[Pictures, int]], num_frames: int) -> Seen:
    """Look at a shot of `num_frames` frames as its pictures come, each piece with the bytes held for it."""
    show = set(np.linspace(0, num_frames - 1, SHOWN).round().astype(int).tolist())
    small: list[Floats] = []
    first: list[Pictures] = []
    shown: list[Pictures] = []
    last: deque[Pictures] = deque(maxlen=CLIP_FRAMES)
    seconds = first_seconds = 0.0
    held = resident = frame = 0
    began = time.perf_counter()
    for pictures, live_bytes in pieces:
        seconds += time.perf_counter() - began
        first_seconds = first_seconds or seconds
        held, resident = max(held, live_bytes), max(resident, psutil.Process().memory_info().rss)
        small.append(coarse(pictures))
        first += list(islice(pictures, max(0, CLIP_FRAMES - frame)))
        last += list(pictures)
        shown += [picture for number, picture in enumerate(pictures, start=frame) if number in show]
        frame += len(pictures)
        began = time.perf_counter()
    ends = np.stack(first), np.stack(list(last))
    return Seen(np.concatenate(small), *ends, np.stack(shown), seconds, first_seconds, held, resident)


def _real_pictures(meant: Clip, num_frames: int) -> Floats:
    """The real clip's coarse pictures; after a period it shows the same again."""
    period = coarse(np.stack([render_frame(meant, index) for index in range(PERIOD)]))
    return np.concatenate([period] * -(-num_frames // PERIOD))[:num_frames]


def _lost(judge: Judge, meant: Clip, seen: Seen, num_frames: int) -> Score:
    start = num_frames - CLIP_FRAMES
    real = render_clip(meant, PERIOD + CLIP_FRAMES)
    really_last = real[start % PERIOD :][:CLIP_FRAMES]
    gone = score(judge, seen.first, meant, 0) - score(judge, seen.last, meant, start)
    return gone - (score(judge, real[:CLIP_FRAMES], meant, 0) - score(judge, really_last, meant, start))


def summary(trials: Sequence[Trial], seed: int) -> dict[str, Estimate]:
    """The figures of shots of one length. Drift in hundredths, positive for worse; `drift_log` in halvings of it.

    Motion and flicker are relative to real clips', `motion_ratio` to the same prompts' clips of 16 frames, and
    `first_frames` is the time to the first of them over the whole time of a clip of 16.
    """
    expected_motion = [each.motion_16 * each.real_motion / each.real_motion_16 for each in trials]
    hidden = hidden_seam_indices(np.stack([each.phase_profile for each in trials])).tolist()
    return {
        "seam_index": mean([each.seam_index for each in trials], seed),
        "plain_seam_index": mean([each.plain_seam_index for each in trials], seed),
        "hidden_seam_index": mean(hidden, seed),
        "drift": mean([100 * each.loss.probability for each in trials], seed),
        "drift_log": mean([each.loss.log for each in trials], seed),
        "repetition": mean([each.repetition for each in trials], seed),
        "real_repetition": mean([each.real_repetition for each in trials], seed),
        "motion_ratio": ratio([each.motion for each in trials], expected_motion, seed),
        "motion": ratio([each.motion for each in trials], [each.real_motion for each in trials], seed),
        "flicker": ratio([each.flicker for each in trials], [each.real_flicker for each in trials], seed),
        "wander": mean([each.wander for each in trials], seed),
        "seconds_per_frame": mean([each.seconds / each.num_frames for each in trials], seed),
        "first_frames": mean([each.first_seconds / each.seconds_16 for each in trials], seed),
    }


def bytes_held(trials: Sequence[Trial]) -> dict[str, int]:
    """Latents and frames that a shot holds at most, and all that its process has in memory, experts included."""
    return {
        "live_bytes": max(each.live_bytes for each in trials),
        "resident_bytes": max(each.resident_bytes for each in trials),
    }


def figures_json(trials: Sequence[Trial], seed: int) -> dict[str, Any]:
    """The figures of shots of one length as JSON values."""
    return {
        "count": len(trials),
        **to_json(summary(trials, seed)),
        **bytes_held(trials),
    }
