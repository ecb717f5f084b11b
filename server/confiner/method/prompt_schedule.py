# SPDX-License-Identifier: GPL-3.0-or-later
"""Stretches: from which frame on another prompt holds, and how one prompt gives way to the next. No torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

CROSSOVER = 16
"""Frames in which one prompt gives way to the next where nobody says: what the experts see at a time."""


@dataclass(frozen=True)
class Stretch:
    """From the clip's frame `start` on, `prompt` holds."""

    start: int
    prompt: str


class Prompted(Protocol):
    """What has the fields of a Stretch, such as the protocol's own message."""

    @property
    def start(self) -> int: ...

    @property
    def prompt(self) -> str: ...


def shares(moment: float, starts: Sequence[int], crossover: int) -> tuple[float, ...]:
    """How much of each text holds at `moment`: the first text's share, then one for each of `starts`; they sum to 1.

    A moment is measured in frames from the beginning of frame 0, so frame f is at f + ½. A cross-over is linear and
    lies half before its stretch's start and half behind it, so that at the start itself both hold equally; 0 frames are
    a cut. Where cross-overs overlap, each gives way to the next in turn. No share depends on the clip's length.
    """
    found = [1.0]
    for start in starts:
        if crossover:
            risen = min(1.0, max(0.0, (moment - start) / crossover + 0.5))
        else:
            risen = float(moment >= start)
        found = [share * (1.0 - risen) for share in found] + [risen]
    return tuple(found)
