# SPDX-License-Identifier: GPL-3.0-or-later
"""A small grammar of captions with synonyms and free word order, and the words it knows."""

from __future__ import annotations

import re
from collections.abc import Collection

import numpy as np

from .clip import Clip
from .path import PERIOD

COLOUR_WORDS = {
    "red": ("red", "crimson", "scarlet"),
    "orange": ("orange", "tangerine"),
    "yellow": ("yellow", "golden"),
    "green": ("green", "emerald"),
    "cyan": ("cyan", "turquoise", "teal"),
    "blue": ("blue", "navy"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "rose"),
}
SHAPE_WORDS = {
    "cube": ("cube", "box", "block"),
    "sphere": ("sphere", "ball", "globe"),
    "cone": ("cone",),
    "cylinder": ("cylinder", "barrel", "drum"),
}
GROUND_PHRASES = {
    "grass": ("on grass", "on the grass", "in a green meadow", "on a lawn", "over grassy ground", "in the field"),
    "sand": ("on sand", "on the sand", "in the desert", "on a sandy beach", "over sandy ground", "among dunes"),
    "snow": ("on snow", "in the snow", "on snowy ground", "in a snowy landscape", "in winter", "over white snow"),
    "concrete": ("on concrete", "on the concrete", "on a paved plaza", "on pavement", "in the city", "on the street"),
}
TIME_PHRASES = {
    "noon": ("at noon", "at midday", "in bright daylight", "in the sun", "by day", "on a sunny day"),
    "dusk": ("at dusk", "at sunset", "in the evening", "in evening light", "at twilight"),
    "night": ("at night", "by night", "at midnight", "in moonlight", "under the stars", "in the dark"),
}
MOTION_PHRASES = {
    "left": (
        "moves left",
        "moves to the left",
        "slides left",
        "goes left",
        "travels to the left",
        "moving left",
        "sliding to the left",
    ),
    "right": (
        "moves right",
        "moves to the right",
        "slides right",
        "goes right",
        "travels to the right",
        "moving right",
        "sliding to the right",
    ),
    "closer": (
        "comes closer",
        "moves closer",
        "approaches",
        "comes towards us",
        "moves towards the camera",
        "coming closer",
        "approaching",
    ),
    "away": (
        "moves away",
        "goes away",
        "recedes",
        "moves into the distance",
        "moves away from the camera",
        "moving away",
        "receding",
    ),
    "bounce": ("bounces", "bounces up and down", "hops", "jumps up and down", "bouncing", "jumping", "hopping"),
    "still": ("stands still", "rests", "does not move", "is still", "stands", "standing still", "resting", ""),
}
CAMERA_PHRASES = {
    "static": ("static camera", "fixed camera", "locked camera", "the camera is static", "still camera", ""),
    "pan left": (
        "the camera pans left",
        "camera pans left",
        "pan left",
        "panning left",
        "the camera pans to the left",
        "the camera turns left",
    ),
    "pan right": (
        "the camera pans right",
        "camera pans right",
        "pan right",
        "panning right",
        "the camera pans to the right",
        "the camera turns right",
    ),
    "zoom in": (
        "the camera zooms in",
        "camera zooms in",
        "zoom in",
        "zooming in",
        "the shot zooms in",
        "the view zooms in",
    ),
    "zoom out": (
        "the camera zooms out",
        "camera zooms out",
        "zoom out",
        "zooming out",
        "the shot zooms out",
        "the view zooms out",
    ),
}
ARTICLES = ("a", "the", "one")
SIZES = ("", "", "", "big", "large", "shiny")
STYLES = ("", "", "", "a shot of", "a clip of", "animation of", "a render of")
_FILLERS = (
    "and",
    "with",
    "while",
    "as",
    "it",
    "there",
    "an",
    "of",
    "scene",
    "video",
    "simple",
    "slowly",
    "across",
    "ground",
)
_WORD = re.compile(r"[a-z]+|[0-9]|[^\sa-z0-9]")
_MOMENT = re.compile(r"<m\d+>")


def caption(clip: Clip, rng: np.random.Generator, *, omit: Collection[str] = ()) -> str:
    """One sentence for a clip, silent about the attributes in `omit` ("ground", "time", "motion", "camera").

    A still object and a static camera may go without saying.
    """

    def pick(options: tuple[str, ...]) -> str:
        return options[int(rng.integers(len(options)))]

    subject = " ".join(
        filter(None, (pick(ARTICLES), pick(SIZES), pick(COLOUR_WORDS[clip.colour]), pick(SHAPE_WORDS[clip.shape])))
    )
    motion = pick(MOTION_PHRASES[clip.motion]) if "motion" not in omit else ""
    clauses = [
        part
        for part in (
            pick(GROUND_PHRASES[clip.ground]) if "ground" not in omit else "",
            pick(TIME_PHRASES[clip.time]) if "time" not in omit else "",
            pick(CAMERA_PHRASES[clip.camera]) if "camera" not in omit else "",
        )
        if part
    ]
    clauses = [clauses[i] for i in rng.permutation(len(clauses))]
    lead = f"{subject} {motion}".strip()
    if rng.random() < 0.2:
        style = pick(STYLES)
        lead = f"{style} {lead}" if style else lead
    front = 0 if rng.random() < 0.6 else int(rng.integers(len(clauses) + 1))
    return ", ".join([*clauses[:front], " ".join([lead, *clauses[front : front + 1]]), *clauses[front + 1 :]])


def moment_text(prompt: str, frame: int) -> str:
    """What the control expert is told of one frame: the prompt and the frame's place in time."""
    return f"{prompt} <m{frame % PERIOD}>"


def vocabulary() -> tuple[str, ...]:
    """Every word the grammar can say, sorted."""
    phrases: list[str] = [*ARTICLES, *SIZES, *STYLES, *_FILLERS]
    for table in (COLOUR_WORDS, SHAPE_WORDS, GROUND_PHRASES, TIME_PHRASES, MOTION_PHRASES, CAMERA_PHRASES):
        phrases += [phrase for options in table.values() for phrase in options]
    return tuple(sorted({word for phrase in phrases for word in phrase.split()}))


def unknown_words(prompt: str) -> tuple[str, ...]:
    """The words of a prompt that the experts have never read, in order, each once."""
    known = set(vocabulary())
    words = [word for word in _WORD.findall(_MOMENT.sub(" ", prompt.lower())) if word[0].isalpha()]
    return tuple(dict.fromkeys(word for word in words if word not in known))
