# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a shot, and what its chain cannot honour, before anything is asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from ..protocol.messages import ChainInfo
from .clip_timing import clip_frame, longest_length, num_frames
from .shot_values import Shot

_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Remark:
    """Something to say about one field of a shot.

    `blocking` remarks keep the shot from being generated. `fix` holds the values that mend it, by field, for the
    button that stands beside the sentence; empty where only the author can.
    """

    field: str
    message: str
    blocking: bool = True
    fix: tuple[tuple[str, int], ...] = ()
    fix_label: str = ""


def remarks(shot: Shot, chains: Mapping[str, ChainInfo]) -> list[Remark]:
    """All there is to say about `shot`. `chains` is what the sidecar has listed; empty before it has."""
    return [*_own(shot), *_of_chain(shot, chains)]


def unread(sentences: Iterable[str]) -> list[Remark]:
    """What the experts do not read of the prompts, as the sidecar said when the shot was last made with these.

    Only the experts' own tokenizers know where a prompt is cut, and Blender has none of them.
    """
    return [Remark("prompt", each[:1].upper() + each[1:], blocking=False) for each in sentences]


def blocking(found: list[Remark]) -> Remark | None:
    """The first remark that keeps the shot from being generated."""
    return next((remark for remark in found if remark.blocking), None)


def unknown_words(prompt: str, known: list[str]) -> list[str]:
    """The words of `prompt` that are not among `known`, each once; none where a chain knows every word."""
    if not known:
        return []
    vocabulary = {word.lower() for word in known}
    return list(dict.fromkeys(word for word in _WORD.findall(prompt.lower()) if word not in vocabulary))


def nearest_size(width: int, height: int, sizes: list[list[int]]) -> tuple[int, int]:
    """The supported size whose aspect is nearest to width / height; of several, the one nearest in area."""

    def distance(size: list[int]) -> tuple[float, float]:
        aspect = width * size[1] / (height * size[0])
        return (round(max(aspect, 1 / aspect), 3), abs(size[0] * size[1] - width * height))

    best = min(sizes, key=distance)
    return best[0], best[1]


def _own(shot: Shot) -> Iterator[Remark]:
    if not shot.prompt.strip():
        yield Remark("prompt", "The prompt is empty: say what is seen, and how it moves")
    if shot.timing.length < 1:
        yield Remark("length", "The shot has no frames: give it a length", fix=(("length", 48),), fix_label="2 seconds")
    if not shot.rule:
        yield Remark(
            "rule", "The shot's refinement rule is not there: choose another, or install the package that has it"
        )
    yield from _later_prompts(shot)


def _later_prompts(shot: Shot) -> Iterator[Remark]:
    starts = [0]
    for stretch in sorted(shot.stretches, key=lambda stretch: stretch.offset):
        start, number = clip_frame(shot.timing, stretch.offset), stretch.offset + 1
        if stretch.offset >= shot.timing.length > 0:
            message = f"The prompt from frame {number} on is never seen: the shot is shorter"
            yield Remark("stretches", message, blocking=False)
        elif start <= starts[-1]:
            yield Remark("stretches", f"The prompt from frame {number} on begins with the one before it: move it")
        elif not stretch.prompt.strip():
            yield Remark("stretches", f"The prompt from frame {number} on is empty: say what is seen then")
        starts.append(start)


def _of_chain(shot: Shot, chains: Mapping[str, ChainInfo]) -> Iterator[Remark]:
    if not chains:
        return
    chain = chains.get(shot.chain)
    if chain is None:
        yield Remark("chain", f"No chain is named “{shot.chain}”: choose {_one_of(list(chains))}")
        return
    if chain.missing:
        yield Remark("chain", f"{chain.title} cannot run here: {chain.missing}")
    yield from _clip(shot, chain)
    if shot.negative_prompt.strip() and not chain.negative_prompt:
        message = f"{chain.title} works without guidance: a negative prompt does nothing"
        yield Remark("negative_prompt", message, blocking=False)
    prompts = [shot.prompt, *(stretch.prompt for stretch in shot.stretches)]
    if unknown := unknown_words(" ".join(prompts), chain.words):
        message = f"Not known to {chain.title}: {', '.join(unknown)}"
        yield Remark("prompt", message, blocking=False)


def _clip(shot: Shot, chain: ChainInfo) -> Iterator[Remark]:
    frames = num_frames(shot.timing)
    if frames > chain.max_frames > 0:
        length = longest_length(shot.timing, chain.max_frames)
        message = f"{frames} clip frames, but {chain.title} makes at most {chain.max_frames}"
        yield Remark("length", message, fix=(("length", length),), fix_label=f"Shorten to {length}")
    if chain.sizes and [shot.width, shot.height] not in chain.sizes:
        width, height = nearest_size(max(shot.width, 1), max(shot.height, 1), chain.sizes)
        message = f"{chain.title} does not make {shot.width} × {shot.height} pixels"
        yield Remark("size", message, fix=(("width", width), ("height", height)), fix_label=f"Use {width} × {height}")


def _one_of(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
