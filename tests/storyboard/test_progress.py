# SPDX-License-Identifier: GPL-3.0-or-later
"""What is shown of a job as its events arrive."""

from functools import reduce

from confiner_blender.protocol.messages import (
    Cancelled,
    Failed,
    Finished,
    FrameDone,
    JobEvent,
    Paused,
    Problem,
    Queued,
    Started,
    Stepped,
)
from confiner_blender.storyboard.job_progress import JobState, Progress, advance, fraction, sentence, whereabouts

EVENTS: list[JobEvent] = [
    Queued("j", 1, 2),
    Started("j", 2, {}),
    Stepped("j", 3, "load", 1, 1),
    Stepped("j", 4, "control", 2, 4, 12.4, done=0.2),
    Stepped("j", 5, "control", 4, 4, 9.0, done=0.4),
    Stepped("j", 6, "refine", 3, 5, 4.0, done=0.8),
    Stepped("j", 7, "control", 4, 4, 1.0, done=1.0),
    FrameDone("j", 8, 0, ""),
    FrameDone("j", 9, 1, ""),
]


def after(events: list[JobEvent]) -> Progress:
    return reduce(advance, events, Progress(JobState.WAITING, 16))


def test_the_bar_only_ever_grows() -> None:
    bars = [fraction(after(EVENTS[:count])) for count in range(len(EVENTS) + 1)]
    assert bars == sorted(bars)
    assert bars[-1] < 1, "it is full only once every frame is stored"


def test_the_sentence_names_stage_step_and_time_left() -> None:
    assert sentence(after(EVENTS[:1])) == "In the queue, 2 before it"
    assert sentence(after(EVENTS[:4])) == "Control expert 2/4 · 12 s left"
    assert sentence(after(EVENTS[:6])) == "Refining 3/5 · 4 s left"


def test_frames_are_counted_and_a_pause_tells_its_reason() -> None:
    assert after(EVENTS).frames_done == 2
    paused = advance(after(EVENTS), Paused("j", 10, "the worker is restarted"))
    assert sentence(paused) == "Paused: the worker is restarted"
    assert advance(paused, Stepped("j", 11, "refine", 4, 5)).state is JobState.RUNNING


def test_a_job_that_has_ended_stays_ended() -> None:
    problem = Problem("worker-died", "the worker died twice", "look at its log")
    failed = advance(after(EVENTS), Failed("j", 10, problem))
    assert failed.problem == problem
    assert sentence(failed) == "the worker died twice"
    assert advance(failed, Stepped("j", 11, "refine", 4, 5)) == failed
    assert advance(after(EVENTS), Cancelled("j", 10)).state is JobState.CANCELLED


def test_a_job_is_not_finished_before_its_frames_are_stored() -> None:
    assert not advance(after(EVENTS), Finished("j", 10, {})).ended


def test_it_says_where_in_a_long_shot_the_experts_are() -> None:
    long = Progress(JobState.RUNNING, 90, frames_done=12)
    assert whereabouts(long) == ""
    segment = advance(long, Stepped("j", 1, "control", 3, 24, start=32, frames=16, segment_frames=16))
    assert whereabouts(segment) == "Segment 3 of 6 · 12 of 90 frames are there"
    together = advance(long, Stepped("j", 1, "control", 3, 24, start=64, frames=32, segment_frames=16))
    assert whereabouts(together) == "Segments 5–6 of 6 · 12 of 90 frames are there"
    window = advance(segment, Stepped("j", 2, "refine", 9, 40, start=24, frames=16, segment_frames=16))
    assert whereabouts(window) == "Window 25–40 · 12 of 90 frames are there"
    assert whereabouts(advance(window, Paused("j", 3, "the worker is restarted"))) == ""
