# SPDX-License-Identifier: GPL-3.0-or-later
"""Lays a graph without circles out in layers, so that every arrow goes down and few cross.

Layers by the longest way to the ground; an arrow that passes a layer gets a place in it; places are put in order by
where their neighbours stand (Sugiyama's method).
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass

ROUNDS = 24

Arrow = tuple[str, str]


@dataclass(frozen=True)
class Layout:
    """`layers` from top to bottom hold names, and "a>b" where the arrow from a to b passes; `arrows` are their ways."""

    layers: tuple[tuple[str, ...], ...]
    arrows: tuple[tuple[str, ...], ...]


def laid_out(names: Collection[str], arrows: Collection[Arrow]) -> Layout:
    """The layout of a graph, without the arrows that follow from others. ValueError if it has a circle."""
    heights = _heights(names, arrows)
    needed = sorted(_needed(arrows))
    ways = tuple((a, *(f"{a}>{b}@{h}" for h in range(heights[a] - 1, heights[b], -1)), b) for a, b in needed)
    top = max(heights.values())
    layers: list[list[str]] = [sorted(name for name in names if heights[name] == h) for h in range(top, -1, -1)]
    for way in ways:
        for place in way[1:-1]:
            layers[top - int(place.rpartition("@")[2])].append(place)
    return Layout(tuple(map(tuple, _in_order(layers, ways))), ways)


def _heights(names: Collection[str], arrows: Collection[Arrow]) -> dict[str, int]:
    """The longest way down from each; what imports nothing stands on the ground."""
    heights: dict[str, int] = {}
    while len(heights) < len(names):
        ready = [name for name in names if name not in heights and all(b in heights for a, b in arrows if a == name)]
        if not ready:
            raise ValueError(f"a circle among {sorted(set(names) - heights.keys())}")
        for name in ready:
            heights[name] = 1 + max((heights[b] for a, b in arrows if a == name), default=-1)
    return heights


def _needed(arrows: Collection[Arrow]) -> set[Arrow]:
    """The arrows that do not follow from others."""
    below: dict[str, set[str]] = {}
    for a, b in arrows:
        below.setdefault(a, set()).add(b)

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        waiting = list(below.get(start, ()))
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += below.get(name, ())
        return found

    return {(a, b) for a, b in arrows if not any(b in reached(other) for other in below[a] if other != b)}


def _in_order(layers: list[list[str]], ways: Iterable[tuple[str, ...]]) -> list[list[str]]:
    """Each layer in an order in which few arrows cross: by the middle of the neighbours, up and down by turns."""
    links = [link for way in ways for link in itertools.pairwise(way)]
    best, fewest = layers, _crossings(layers, links)
    for turn in range(ROUNDS):
        layers = [list(layer) for layer in layers]
        rows = range(1, len(layers)) if turn % 2 == 0 else range(len(layers) - 2, -1, -1)
        for row in rows:
            layers[row] = _by_middles(layers[row], layers[row - 1 if turn % 2 == 0 else row + 1], links)
        if (count := _crossings(layers, links)) < fewest:
            best, fewest = layers, count
    return best


def _by_middles(layer: list[str], fixed: list[str], links: list[Arrow]) -> list[str]:
    """The layer sorted by the middle of each one's neighbours in the `fixed` one; who has none stays about there."""
    middles = {}
    for index, name in enumerate(layer):
        near = {b if a == name else a for a, b in links if name in (a, b)}
        found = [(place + 0.5) / len(fixed) for place, other in enumerate(fixed) if other in near]
        middles[name] = sum(found) / len(found) if found else (index + 0.5) / len(layer)
    return sorted(layer, key=lambda name: middles[name])


def _crossings(layers: list[list[str]], links: list[Arrow]) -> int:
    count = 0
    for upper, lower in itertools.pairwise(layers):
        over, under = ({name: index for index, name in enumerate(layer)} for layer in (upper, lower))
        here = [(over[a], under[b]) for a, b in links if a in over and b in under]
        count += sum((a - c) * (b - d) < 0 for i, (a, b) in enumerate(here) for c, d in here[i + 1 :])
    return count
