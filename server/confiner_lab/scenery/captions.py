# SPDX-License-Identifier: GPL-3.0-or-later
"""Captions as people type them: one sentence or several, fragments, any order, plurals, negation, two things.

What a caption does not say has a meaning of its own: a thing without a verb stands still and an unmentioned camera
does not move; colour, shape, ground and time are open when nothing names them; a place without a thing is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np

from . import words
from .clip import GROUNDS, TIMES, Clip, Thing
from .nouns import Nouns, plural, subject
from .path import PERIOD

UNNAMED = tuple(Nouns(text, "it", text, "", many=False) for text in ("", "it", "something"))
MAYBE_NEGATED = 0.07
STRANGERS = 0.06


class Pen:
    """Random choices while one caption is written."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng

    def pick(self, options: Sequence[str]) -> str:
        return options[int(self.rng.integers(len(options)))]

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def shuffled(self, parts: Sequence[str]) -> list[str]:
        return [parts[i] for i in self.rng.permutation(len(parts))]


def caption(clip: Clip, rng: np.random.Generator, *, omit: Collection[str] = ()) -> str:
    """A caption that says all of a clip but what is in `omit`.

    That may be "colour", "shape", "ground", "time", "motion" and "camera".
    """
    pen = Pen(rng)
    if not clip.things:
        text = _empty(clip, pen, omit)
    else:
        nouns = subject(clip.things, rng, omit)
        if {"colour", "shape"} <= set(omit) and len(clip.things) == 1 and clip.motion != "still" and pen.chance(0.6):
            nouns = UNNAMED[int(rng.integers(len(UNNAMED)))]
        form = FORMS[int(rng.choice(len(FORMS), p=ODDS))]
        text = form(clip, nouns, pen, omit)
    return _finish(text, pen)


def moment_text(prompt: str, frame: int) -> str:
    """What an expert is told of one frame: its place in time, first so that no long prompt cuts it, and the prompt."""
    return f"<m{frame % PERIOD}> {prompt}"


def motion_phrase(motion: str, nouns: Nouns, pen: Pen, *, participle: bool) -> str:
    """A verb phrase: "moves left", "move left" or "moving left", at times with what it is not."""
    verbs = words.MOTION_VERBS[motion]
    verb = verbs[int(pen.rng.integers(len(verbs)))]
    form = verb.participle if participle else verb.many if nouns.many else verb.one
    tail = pen.pick(verb.tails)
    text = f"{form} {tail}".strip()
    if pen.chance(0.1) and not text.startswith(("does", "do ", "is", "are", "not")):
        adverb = pen.pick(words.FILLERS[:4])
        text = f"{adverb} {text}" if pen.chance(0.5) else f"{form} {adverb} {tail}".strip()
    if tail in ("left", "right", "closer", "away") and pen.chance(MAYBE_NEGATED):
        other = words.OPPOSITES[tail]
        text = pen.pick((f"{text}, not {other}", f"{text} and not {other}", f"{text} instead of {other}"))
    return text


def _settings(clip: Clip, pen: Pen, omit: Collection[str]) -> list[str]:
    """Adverbial phrases of ground and time, in any order."""
    parts = []
    if "ground" not in omit:
        parts.append(pen.pick(words.GROUND_WORDS[clip.ground].phrases))
    if "time" not in omit:
        phrase = pen.pick(words.TIME_WORDS[clip.time].phrases)
        if pen.chance(MAYBE_NEGATED):
            other = pen.pick([time for time in TIMES if time != clip.time])
            phrase += f", not {pen.pick(words.TIME_WORDS[other].phrases)}"
        parts.append(phrase)
    return pen.shuffled(parts)


def _camera(clip: Clip, pen: Pen, omit: Collection[str], *, sentence: bool) -> str:
    if "camera" in omit or (clip.camera == "static" and pen.chance(0.6)):
        return ""
    table = words.CAMERA_SENTENCES if sentence or pen.chance(0.5) else words.CAMERA_FRAGMENTS
    text = pen.pick(table[clip.camera])
    last = text.rsplit(" ", 1)[-1]
    if last in ("left", "right", "in", "out") and pen.chance(MAYBE_NEGATED):
        text += f", not {words.OPPOSITES[last]}"
    return text


def _motion(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str], *, participle: bool) -> str:
    if "motion" in omit or (clip.motion == "still" and pen.chance(0.35)):
        return ""
    return motion_phrase(clip.motion, nouns, pen, participle=participle)


def _clauses(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str]) -> str:
    """a red cube moves left on grass, at noon, the camera pans left"""
    lead = f"{nouns.text} {_motion(clip, nouns, pen, omit, participle=pen.chance(0.3))}".strip()
    if pen.chance(0.15):
        lead = f"{pen.pick(words.STYLES)} {lead}"
    rest = [part for part in (*_settings(clip, pen, omit), _camera(clip, pen, omit, sentence=False)) if part]
    rest = pen.shuffled(rest)
    front = 0 if pen.chance(0.6) else int(pen.rng.integers(len(rest) + 1))
    camera_next = any(rest[front : front + 1]) and "camera" in "".join(rest[front : front + 1])
    joined = ", " if camera_next or pen.chance(0.2) else " "
    middle = joined.join([lead, *rest[front : front + 1]])
    return pen.pick((", ", ", ", "; ", " ")).join([*rest[:front], middle, *rest[front + 1 :]])


def _there_is(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str]) -> str:
    """at sunset, in the desert, there is a pink cone and it moves away"""
    settings = _settings(clip, pen, omit)
    front = int(pen.rng.integers(len(settings) + 1))
    opening = pen.pick(
        ("there are", "we see", "there are") if nouns.many else ("there is", "there is", "we see", "there's")
    )
    middle = " ".join([opening, nouns.text, *settings[front:]])
    verb = _motion(clip, nouns, pen, omit, participle=False)
    if verb:
        pronoun = "they" if nouns.many else "it"
        middle += pen.pick((f" and {pronoun} {verb}", f", {pronoun} {verb}", f". {pronoun} {verb}", f" that {verb}"))
    camera = _camera(clip, pen, omit, sentence=True)
    tail = [pen.pick((" and ", ", ", ". ", " while ")) + camera] if camera else []
    return ", ".join([*settings[:front], middle]) + "".join(tail)


def _sentences(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str]) -> str:
    """the cone is pink. the ground is snow. it is midnight. the cone hops."""
    said = []
    if "ground" not in omit:
        place = words.GROUND_WORDS[clip.ground]
        noun, scene = pen.pick(place.nouns), pen.pick(place.scenes)
        said.append(pen.pick((f"the ground is {noun}", f"the place is {scene}", f"it is {pen.pick(place.phrases)}")))
    if "time" not in omit:
        said.append(pen.pick(("it is ", "it's ", "the time is ")) + pen.pick(words.TIME_WORDS[clip.time].predicates))
    verb = _motion(clip, nouns, pen, omit, participle=False)
    if nouns.copula and pen.chance(0.6):
        said.append(nouns.copula)
        if verb:
            said.append(f"{nouns.definite} {verb}")
    else:
        lead = nouns.text if pen.chance(0.6) else f"{'there are' if nouns.many else 'there is'} {nouns.text}"
        pronoun = "they" if nouns.many else "it"
        said.append(lead if not verb or pen.chance(0.5) else f"{lead}. {pen.pick((pronoun, nouns.definite))} {verb}")
        if verb and verb not in said[-1]:
            said.append(f"{nouns.definite} {verb}")
    if camera := _camera(clip, pen, omit, sentence=True):
        said.append(camera)
    return pen.pick((". ", ". ", ". ", "; ", ", ")).join(pen.shuffled(said))


def _fragments(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str]) -> str:
    """a cube, blue, approaching us, in winter, at twilight; pan left!"""
    parts = [nouns.text, _motion(clip, nouns, pen, omit, participle=True), *_settings(clip, pen, omit)]
    parts.append(_camera(clip, pen, omit, sentence=False))
    parts = [part for part in parts if part]
    if pen.chance(0.5):
        parts = pen.shuffled(parts)
    return "".join(pen.pick((", ", ", ", ", ", "; ", " - ")) + part for part in parts)[2:].strip()


def _keywords(clip: Clip, nouns: Nouns, pen: Pen, omit: Collection[str]) -> str:
    """red cube, snow, night, bouncing, zoom in"""
    parts = [nouns.bare or nouns.text, _motion(clip, nouns, pen, omit, participle=pen.chance(0.7))]
    if "ground" not in omit:
        parts.append(pen.pick(words.GROUND_WORDS[clip.ground].nouns))
    if "time" not in omit:
        parts.append(pen.pick(words.TIME_WORDS[clip.time].nouns))
    parts.append(_camera(clip, pen, omit, sentence=False))
    parts = [part for part in parts if part]
    if pen.chance(0.4):
        parts = pen.shuffled(parts)
    return pen.pick((", ", ", ", " ")).join(parts)


def _empty(clip: Clip, pen: Pen, omit: Collection[str]) -> str:
    """an empty meadow at noon; nothing on grass; the desert by night"""
    settings = _settings(clip, pen, omit)
    kind = int(pen.rng.integers(3))
    if kind == 0 or "ground" in omit:
        text = " ".join([pen.pick(words.NOTHING), *settings])
        text = f"there is {text}" if pen.chance(0.25) else text
    elif kind == 1:
        scene = pen.pick(words.GROUND_WORDS[clip.ground].scenes)
        time = "" if "time" in omit else pen.pick(words.TIME_WORDS[clip.time].phrases)
        article, _, rest = scene.partition(" ") if scene.startswith("a ") else ("", "", scene)
        text = f"{'an empty ' if article else 'empty '}{rest} {time}" if pen.chance(0.6) else f"{scene} {time}"
    else:
        parts = [pen.pick(words.GROUND_WORDS[clip.ground].nouns)]
        parts += [] if "time" in omit else [pen.pick(words.TIME_WORDS[clip.time].nouns)]
        text = ", ".join(
            [*pen.shuffled(parts), *([pen.pick(("empty", "no objects", "nothing else"))] * pen.chance(0.6))]
        )
    camera = _camera(clip, pen, omit, sentence=False)
    return ", ".join(part for part in (text.strip(), camera) if part)


FORMS: tuple[Callable[[Clip, Nouns, Pen, Collection[str]], str], ...] = (
    _clauses,
    _there_is,
    _sentences,
    _fragments,
    _keywords,
)
ODDS = (0.42, 0.16, 0.16, 0.14, 0.12)


def _finish(text: str, pen: Pen) -> str:
    """What people add: praise, words that nobody taught, a last stop."""
    if pen.chance(0.14):
        extra = ", ".join(pen.shuffled(words.PRAISE)[: int(pen.rng.integers(1, 5))])
        text = f"{text}, {extra}" if pen.chance(0.6) else f"{extra}, {text}"
    if pen.chance(STRANGERS):
        text = _with_stranger(text, pen)
    if pen.chance(0.35):
        text += pen.pick((".", ".", ".", "!"))
    return text


def _with_stranger(text: str, pen: Pen) -> str:
    """The text with a word of random letters in it, which is to change nothing."""
    word = "".join(pen.pick("abcdefghiklmnoprstuvwy") for _ in range(int(pen.rng.integers(3, 8))))
    parts = text.split(" ")
    at = int(pen.rng.integers(len(parts) + 1))
    return " ".join([*parts[:at], word, *parts[at:]])


def vocabulary() -> tuple[str, ...]:
    """Every word the grammar can say, sorted."""
    phrases: list[str] = [*words.GLUE, *words.STYLES, *words.PRAISE, *words.FILLERS, *words.NOTHING, *words.OPPOSITES]
    phrases += [*words.ANY_COLOUR, *words.ANY_SHAPE, *(plural(word) for word in words.ANY_SHAPE), "empty", "else"]
    for table in (words.COLOUR_WORDS, words.SIZE_WORDS, words.CAMERA_SENTENCES, words.CAMERA_FRAGMENTS):
        phrases += [phrase for options in table.values() for phrase in options]
    phrases += [form for options in words.SHAPE_WORDS.values() for word in options for form in (word, plural(word))]
    for group in (*words.GROUND_WORDS.values(), *words.TIME_WORDS.values()):
        phrases += [phrase for options in group for phrase in options]
    for verbs in words.MOTION_VERBS.values():
        phrases += [phrase for verb in verbs for phrase in (*verb[:3], *verb.tails)]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


__all__ = ["GROUNDS", "Pen", "Thing", "caption", "moment_text", "vocabulary"]
