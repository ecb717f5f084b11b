# SPDX-License-Identifier: GPL-3.0-or-later
"""How a clip of few frames fills a shot: which clip frame is seen on which frame of the timeline.

A shot's length counts timeline frames. Its clip has a rate of its own and each clip frame is held: by rate, so that the
action keeps its speed (8 fps in a scene of 24 come out on threes), or on ones, twos or threes as an animator says.
Offsets and frames count from 0 here.
"""

from __future__ import annotations

from dataclasses import dataclass

HOLDS: dict[str, int | None] = {"RATE": None, "ONES": 1, "TWOS": 2, "THREES": 3}
"""The names of the holds, and the timeline frames that each shows one clip frame for; None follows from the rates."""

_ROUNDING = 1e-6  # 29.97-like rates must not lose a frame to the last bit


@dataclass(frozen=True)
class Timing:
    """A shot's `length` in timeline frames at `scene_fps`, its clip's `fps`, and the name of its `hold`."""

    length: int
    fps: float
    hold: str
    scene_fps: float


def clip_frame(timing: Timing, offset: int) -> int:
    """The clip frame seen `offset` timeline frames after the shot's start."""
    held = HOLDS[timing.hold]
    if held is not None:
        return offset // held
    rate = min(timing.fps / timing.scene_fps, 1.0)  # a faster clip than the timeline has frames nobody would see
    return int(offset * rate + _ROUNDING)


def num_frames(timing: Timing) -> int:
    """How many clip frames fill the shot; 0 for a shot without length."""
    return clip_frame(timing, timing.length - 1) + 1 if timing.length > 0 else 0


def first_offsets(timing: Timing) -> list[int]:
    """For each clip frame, the offset at which it is first seen: where structure is captured."""
    offsets: list[int] = []
    for offset in range(timing.length):
        if clip_frame(timing, offset) == len(offsets):
            offsets.append(offset)
    return offsets


def offset_of(timing: Timing, frame: int) -> int:
    """The offset at which the clip frame `frame` is first seen; the shot's length for one that it never comes to."""
    offsets = first_offsets(timing)
    return offsets[frame] if frame < len(offsets) else timing.length


def clip_span(timing: Timing, length: int) -> int:
    """How many clip frames pass in `length` timeline frames, to the nearest."""
    return round(length / _held(timing))


def timeline_span(timing: Timing, frames: int) -> int:
    """How many timeline frames pass in `frames` clip frames, to the nearest."""
    return round(frames * _held(timing))


def _held(timing: Timing) -> float:
    """How many timeline frames a clip frame is held for, on average."""
    return HOLDS[timing.hold] or max(timing.scene_fps / timing.fps, 1.0)


def longest_length(timing: Timing, frames: int) -> int:
    """The greatest length, up to the shot's own, that a clip of `frames` frames can fill."""
    length = timing.length
    while length > 0 and clip_frame(timing, length - 1) >= frames:
        length -= 1
    return length


def speed(timing: Timing) -> float:
    """How much faster than life the clip plays; 1 where its rate and hold agree with the scene's rate."""
    held = HOLDS[timing.hold]
    if held is None:
        return min(timing.scene_fps / timing.fps, 1.0)
    return timing.scene_fps / (timing.fps * held)


def hold_sentence(timing: Timing) -> str:
    """Such as "16 frames at 8 fps, on threes", with the change of speed where there is one."""
    held = _held(timing)
    names = {1: "ones", 2: "twos", 3: "threes", 4: "fours"}
    name = names.get(round(held), f"{held:.3g}s") if abs(held - round(held)) < 0.01 else f"{held:.3g} frames each"
    factor = speed(timing)
    changed = "" if abs(factor - 1) < 0.01 else f", plays {factor:.2g}× as fast"
    on = name if "each" in name else f"on {name}"
    return f"{num_frames(timing)} frames at {timing.fps:g} fps, {on}{changed}"
