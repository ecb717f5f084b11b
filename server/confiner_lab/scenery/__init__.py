# SPDX-License-Identifier: GPL-3.0-or-later
"""The second world: clips of up to two solids, their captions as people type them, their grey-box and depth looks."""

from .captions import caption, moment_text, vocabulary
from .clip import (
    ATTRIBUTES,
    CAMERAS,
    COLOURS,
    GROUNDS,
    LOOKS,
    MOTIONS,
    SHAPES,
    SIZES,
    SQUARE,
    TIMES,
    WIDE,
    WORLD_VERSION,
    Clip,
    Spot,
    Thing,
    random_clip,
    scattered_clip,
)
from .passage import Passage, random_passage, render_between, render_passage
from .path import FPS, PERIOD, Place, View, place_at, view_at
from .render import Box, boxes, cover, render_clip, render_frame

__all__ = [
    "ATTRIBUTES",
    "CAMERAS",
    "COLOURS",
    "FPS",
    "GROUNDS",
    "LOOKS",
    "MOTIONS",
    "PERIOD",
    "SHAPES",
    "SIZES",
    "SQUARE",
    "TIMES",
    "WIDE",
    "WORLD_VERSION",
    "Box",
    "Clip",
    "Passage",
    "Place",
    "Spot",
    "Thing",
    "View",
    "boxes",
    "caption",
    "cover",
    "moment_text",
    "place_at",
    "random_clip",
    "random_passage",
    "render_between",
    "render_clip",
    "render_frame",
    "render_passage",
    "scattered_clip",
    "view_at",
    "vocabulary",
]
