# SPDX-License-Identifier: GPL-3.0-or-later
"""How a caption names its things: one, two alike, or two different ones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from . import words
from .clip import COLOURS, SHAPES, Thing


@dataclass(frozen=True)
class Nouns:
    """A subject: as first named, as named again, as a keyword, as a sentence about its colour, and its number."""

    text: str
    definite: str
    bare: str
    copula: str
    many: bool


@dataclass(frozen=True)
class _Said:
    """The words chosen for one thing."""

    size: str
    colour: str
    shape: str

    @property
    def adjectives(self) -> str:
        return f"{self.size} {self.colour}".strip()

    @property
    def plain(self) -> str:
        return f"{self.adjectives} {self.shape}".strip()


def plural(word: str) -> str:
    return words.PLURALS.get(word, word + "s")


def article(phrase: str) -> str:
    return "an" if phrase[0] in "aeiou" else "a"


def subject(things: Sequence[Thing], rng: np.random.Generator, omit: Collection[str]) -> Nouns:
    """Names for one thing or two; "colour" and "shape" in `omit` are left open."""

    def pick(options: Sequence[str]) -> str:
        return options[int(rng.integers(len(options)))]

    def say(thing: Thing) -> _Said:
        colour = pick(words.ANY_COLOUR) if "colour" in omit else pick(words.COLOUR_WORDS[thing.colour])
        shape = pick(words.ANY_SHAPE) if "shape" in omit else pick(words.SHAPE_WORDS[thing.shape])
        return _Said(pick(words.SIZE_WORDS[thing.size]), colour, shape)

    first = say(things[0])
    if len(things) == 1:
        return _one(things[0], first, rng, pick)
    if things[0] == things[1]:
        return _twins(first, pick)
    return _two(first, say(things[1]), pick)


def _one(thing: Thing, said: _Said, rng: np.random.Generator, pick: object) -> Nouns:
    choose = pick
    plain, adjectives = said.plain, said.adjectives
    texts = [f"{article(plain)} {plain}"] * 5 + [f"the {plain}", f"one {plain}", plain]
    if said.colour and said.colour != "coloured":
        noun = f"{said.size} {said.shape}".strip()
        texts += [f"{article(noun)} {noun}, {said.colour}", f"{article(noun)} {noun} that is {said.colour}"]
        if rng.random() < 0.25:
            texts += [_denied(thing, said, rng)] * 3
    copula = f"the {said.shape} is {adjectives}" if said.colour not in ("", "coloured") else ""
    if said.size and said.colour:
        copula = copula and f"the {said.shape} is {said.size} and {said.colour}"
    return Nouns(choose(texts), f"the {said.shape}", plain, copula, many=False)  # type: ignore[operator]


def _denied(thing: Thing, said: _Said, rng: np.random.Generator) -> str:
    """A name with what it is not."""
    colours, shapes = [c for c in COLOURS if c != thing.colour], [s for s in SHAPES if s != thing.shape]
    colour, shape = colours[int(rng.integers(len(colours)))], shapes[int(rng.integers(len(shapes)))]
    plain = said.plain
    options = (
        f"{article(plain)} {plain}, not {article(shape)} {shape}",
        f"{article(plain)} {plain}, not {article(colour)} {colour} one",
        f"{article(plain)} {plain} and no {shape}",
        f"not {article(shape)} {shape} but {article(plain)} {plain}",
        f"{article(plain)} {plain} that is not {colour}",
    )
    return options[int(rng.integers(len(options)))]


def _twins(said: _Said, pick: object) -> Nouns:
    choose = pick
    shapes = plural(said.shape)
    plain = f"{said.adjectives} {shapes}".strip()
    single = f"{article(said.plain)} {said.plain}"
    texts = [f"two {plain}"] * 4 + [f"2 {plain}", f"a pair of {plain}", f"{single} and another one", f"both {plain}"]
    texts += [
        f"{single} and another {said.plain}",
        f"two {shapes}, both {said.adjectives}" if said.adjectives else plain,
    ]
    text = choose(texts).replace("both " + plain, "two " + plain)  # type: ignore[operator]
    copula = f"the two {shapes} are {said.adjectives}" if said.colour not in ("", "coloured") else ""
    return Nouns(text, f"the {shapes}", f"two {plain}", copula, many=True)


def _two(first: _Said, second: _Said, pick: object) -> Nouns:
    choose = pick
    one, other = (f"{article(said.plain)} {said.plain}" for said in (first, second))
    texts = [f"{one} and {other}"] * 4 + [f"{one} next to {other}", f"{one} beside {other}", f"{one} with {other}"]
    texts += [f"the {first.plain} and the {second.plain}", f"{one} and, beside it, {other}"]
    copula = f"the {first.shape} is {first.adjectives} and the {second.shape} is {second.adjectives}"
    if first.shape == second.shape or not (first.colour and second.colour):
        copula = ""
    return Nouns(choose(texts), "they", f"{first.plain} and {second.plain}", copula, many=True)  # type: ignore[operator]
