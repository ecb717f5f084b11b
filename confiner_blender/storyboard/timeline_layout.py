# SPDX-License-Identifier: GPL-3.0-or-later
"""Where shots stand on the timeline, and how strips keep out of each other's way.

Spans are half open: a strip from 1 to 49 shows frames 1 to 48.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

CHANNELS = 128
"""Channels that a sequencer has."""


@dataclass(frozen=True)
class Span:
    """What a strip occupies."""

    channel: int
    start: int
    end: int


def starts(first: int, lengths: Sequence[int], placed: Sequence[Span | None]) -> list[int]:
    """The first timeline frame of each shot: its strip's, if it is `placed`, else where the shot before it ends."""
    found = []
    cursor = first
    for length, span in zip(lengths, placed, strict=True):
        found.append(cursor if span is None else span.start)
        cursor = cursor + length if span is None else span.end
    return found


def free_channel(start: int, end: int, others: Iterable[Span], preferred: int = 1, closed: Collection[int] = ()) -> int:
    """The first channel from `preferred` upwards, but none of `closed`, where nothing stands from `start` to `end`.

    Raises:
        LookupError: every channel is taken there.
    """
    taken = set(closed) | {other.channel for other in others if other.start < end and start < other.end}
    for channel in range(preferred, CHANNELS + 1):
        if channel not in taken:
            return channel
    raise LookupError(
        f"all {CHANNELS} channels are taken, muted or locked between frames {start} and {end}: remove a strip there"
    )


def room_after(span: Span, others: Iterable[Span]) -> int | None:
    """Where the next strip on the same channel starts; None if nothing follows."""
    following = [other.start for other in others if other.channel == span.channel and other.start >= span.end]
    return min(following, default=None)


def right_handle(span: Span, content_start: int, old_length: int, new_length: int, others: Iterable[Span]) -> int:
    """The right handle of a strip whose content changes from `old_length` to `new_length` frames.

    A strip that showed its whole end goes on doing so, as far as its neighbour leaves room; a trim stays where it is.
    """
    trimmed = span.end != content_start + old_length
    wanted = min(span.end, content_start + new_length) if trimmed else content_start + new_length
    limit = room_after(Span(span.channel, span.start, span.start + 1), others)
    return max(span.start + 1, wanted if limit is None else min(wanted, limit))
