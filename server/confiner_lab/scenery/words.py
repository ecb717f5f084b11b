# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the captions: for each thing that can be said, the ways in which people say it."""

from __future__ import annotations

from typing import NamedTuple

COLOUR_WORDS = {
    "red": ("red", "red", "crimson", "scarlet"),
    "orange": ("orange", "orange", "tangerine"),
    "yellow": ("yellow", "yellow", "golden"),
    "green": ("green", "green", "emerald"),
    "cyan": ("cyan", "turquoise", "teal"),
    "blue": ("blue", "blue", "navy"),
    "purple": ("purple", "violet"),
    "pink": ("pink", "pink", "rose"),
}
SHAPE_WORDS = {
    "cube": ("cube", "cube", "box", "block"),
    "sphere": ("sphere", "sphere", "ball", "globe", "orb"),
    "cone": ("cone",),
    "cylinder": ("cylinder", "cylinder", "barrel", "drum", "tube"),
}
PLURALS = {"box": "boxes"}
SIZE_WORDS = {"small": ("small", "little", "tiny"), "medium": ("",), "big": ("big", "large", "huge")}
ANY_COLOUR = ("", "coloured")
ANY_SHAPE = ("object", "thing", "solid")
NOTHING = ("nothing", "no object", "no objects", "an empty scene", "no thing", "an empty shot", "nobody", "emptiness")


class Place(NamedTuple):
    """A ground: phrases after a preposition, names of the whole scene, and bare nouns."""

    phrases: tuple[str, ...]
    scenes: tuple[str, ...]
    nouns: tuple[str, ...]


GROUND_WORDS = {
    "grass": Place(
        (
            "on grass",
            "on the grass",
            "in a green meadow",
            "in a meadow",
            "on a lawn",
            "over grassy ground",
            "in the field",
            "in a grassy field",
            "across the grass",
            "in a park",
            "on a green field",
        ),
        ("a meadow", "a green field", "a lawn", "a grassy landscape", "a park"),
        ("grass", "meadow", "lawn", "field", "grassland"),
    ),
    "sand": Place(
        (
            "on sand",
            "on the sand",
            "in the desert",
            "in a desert",
            "on a sandy beach",
            "on the beach",
            "over sandy ground",
            "among dunes",
            "across the sand",
            "in a sandy desert",
        ),
        ("a desert", "a beach", "a sandy desert", "dunes"),
        ("sand", "desert", "beach", "dunes"),
    ),
    "snow": Place(
        (
            "on snow",
            "in the snow",
            "in snow",
            "on snowy ground",
            "in a snowy landscape",
            "in winter",
            "over white snow",
            "across the snow",
            "in the snowy mountains",
            "on a snowfield",
        ),
        ("a snowy landscape", "a winter landscape", "a snowfield", "snowy mountains"),
        ("snow", "winter", "snowfield"),
    ),
    "concrete": Place(
        (
            "on concrete",
            "on the concrete",
            "on a paved plaza",
            "on pavement",
            "on the pavement",
            "in the city",
            "in a city",
            "on the street",
            "on a street",
            "on asphalt",
            "across the plaza",
            "in a town square",
        ),
        ("a city", "a street", "a paved plaza", "a city street", "a town square"),
        ("concrete", "pavement", "street", "city", "plaza", "asphalt"),
    ),
}


class Hour(NamedTuple):
    """A time of day: adverbial phrases, what "it is …" takes, and bare nouns."""

    phrases: tuple[str, ...]
    predicates: tuple[str, ...]
    nouns: tuple[str, ...]


TIME_WORDS = {
    "noon": Hour(
        (
            "at noon",
            "at midday",
            "in bright daylight",
            "in daylight",
            "in the sun",
            "by day",
            "on a sunny day",
            "during the day",
            "under a blue sky",
            "in sunshine",
        ),
        ("noon", "midday", "day", "sunny", "bright", "daytime", "a sunny day"),
        ("noon", "midday", "daylight", "day", "sunshine"),
    ),
    "dusk": Hour(
        (
            "at dusk",
            "at sunset",
            "in the evening",
            "in evening light",
            "at twilight",
            "at sundown",
            "under an evening sky",
            "at the end of the day",
        ),
        ("dusk", "sunset", "evening", "twilight", "late", "getting dark"),
        ("dusk", "sunset", "evening", "twilight", "sundown"),
    ),
    "night": Hour(
        (
            "at night",
            "by night",
            "at midnight",
            "in moonlight",
            "in the moonlight",
            "under the stars",
            "in the dark",
            "during the night",
            "under the moon",
        ),
        ("night", "midnight", "dark", "night time", "a dark night"),
        ("night", "midnight", "moonlight", "dark", "stars"),
    ),
}


class Verb(NamedTuple):
    """One way to move: after he, after they, as a participle, and what follows."""

    one: str
    many: str
    participle: str
    tails: tuple[str, ...]


_LEFT = ("left", "left", "to the left", "leftwards", "from right to left", "towards the left")
_RIGHT = ("right", "right", "to the right", "rightwards", "from left to right", "towards the right")


def _sideways(tails: tuple[str, ...]) -> tuple[Verb, ...]:
    return (
        Verb("moves", "move", "moving", tails),
        Verb("moves", "move", "moving", tails),
        Verb("slides", "slide", "sliding", tails),
        Verb("goes", "go", "going", tails),
        Verb("travels", "travel", "travelling", tails),
        Verb("drifts", "drift", "drifting", tails),
        Verb("glides", "glide", "gliding", tails),
        Verb("runs", "run", "running", tails),
    )


_UP = ("", "", "up and down", "on the spot", "in place")
MOTION_VERBS = {
    "left": _sideways(_LEFT),
    "right": _sideways(_RIGHT),
    "closer": (
        Verb("comes", "come", "coming", ("closer", "nearer", "towards us", "towards the camera", "to us")),
        Verb("moves", "move", "moving", ("closer", "towards the camera", "towards us")),
        Verb("gets", "get", "getting", ("closer", "nearer")),
        Verb("approaches", "approach", "approaching", ("", "", "us", "the camera")),
    ),
    "away": (
        Verb("moves", "move", "moving", ("away", "away from the camera", "into the distance", "away from us")),
        Verb("goes", "go", "going", ("away", "away from us", "into the distance", "far away")),
        Verb("recedes", "recede", "receding", ("", "into the distance")),
        Verb("drifts", "drift", "drifting", ("away", "into the distance")),
    ),
    "bounce": (
        Verb("bounces", "bounce", "bouncing", _UP),
        Verb("bounces", "bounce", "bouncing", _UP),
        Verb("hops", "hop", "hopping", _UP),
        Verb("jumps", "jump", "jumping", _UP),
    ),
    "still": (
        Verb("stands", "stand", "standing", ("", "still", "there")),
        Verb("rests", "rest", "resting", ("", "there")),
        Verb("stays", "stay", "staying", ("still", "in place", "there")),
        Verb("does not move", "do not move", "not moving", ("",)),
        Verb("is still", "are still", "keeping still", ("",)),
        Verb("lies", "lie", "lying", ("still", "there")),
    ),
}
CAMERA_SENTENCES = {
    "static": ("the camera is static", "the camera stays still", "the camera does not move", "the camera is fixed"),
    "pan left": ("the camera pans left", "camera pans left", "the camera pans to the left", "the camera turns left"),
    "pan right": (
        "the camera pans right",
        "camera pans right",
        "the camera pans to the right",
        "the camera turns right",
    ),
    "zoom in": ("the camera zooms in", "camera zooms in", "the shot zooms in", "the view zooms in", "we zoom in"),
    "zoom out": ("the camera zooms out", "camera zooms out", "the shot zooms out", "the view zooms out", "we zoom out"),
}
CAMERA_FRAGMENTS = {
    "static": ("static camera", "fixed camera", "locked camera", "still camera", "no camera movement", "static shot"),
    "pan left": ("pan left", "panning left", "pan to the left", "camera pan left", "slow pan left"),
    "pan right": ("pan right", "panning right", "pan to the right", "camera pan right", "slow pan right"),
    "zoom in": ("zoom in", "zooming in", "camera zoom in", "slow zoom in"),
    "zoom out": ("zoom out", "zooming out", "camera zoom out", "slow zoom out"),
}
OPPOSITES = {"left": "right", "right": "left", "in": "out", "out": "in", "closer": "away", "away": "closer"}
STYLES = ("a shot of", "a clip of", "an animation of", "a render of", "a video of", "a wide shot of", "we see", "show")
PRAISE = (
    "cinematic",
    "a simple scene",
    "high quality",
    "very detailed",
    "beautiful light",
    "previz",
    "storyboard",
    "smooth motion",
    "realistic",
    "a short film",
    "clean render",
    "nice colours",
    "slow and calm",
    "please",
    "as in a film",
    "low poly",
    "simple shapes",
    "wide angle",
    "soft shadows",
)
FILLERS = ("slowly", "quickly", "smoothly", "gently", "now", "then", "again", "very", "really", "just", "also")
_GLUE = (
    "a an the one two 2 three pair of both each other another same different and with while as it they them its their "
    "there is are be that which this these in on at by to from next beside near alongside together not no but instead "
    "rather than without scene video picture image shot frame background foreground simple slowly across ground sky "
    "colour color colored coloured we see us you can in front behind left right light day any only something who what "
    "time surface place landscape all around here over under into onto up down off still"
)
GLUE = tuple(dict.fromkeys(_GLUE.split()))
