# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of the bundled experts: procedural previz clips, their captions, and their grey-box look."""

from .captions import caption, moment_text, unknown_words, vocabulary
from .clip import ATTRIBUTES, CAMERAS, COLOURS, GROUNDS, MOTIONS, SHAPES, TIMES, WORLD_VERSION, Clip, random_clip
from .path import FPS, PERIOD, Place, View, place_at, view_at
from .render import render_clip, render_frame, screen_box

__all__ = [
    "ATTRIBUTES",
    "CAMERAS",
    "COLOURS",
    "FPS",
    "GROUNDS",
    "MOTIONS",
    "PERIOD",
    "SHAPES",
    "TIMES",
    "WORLD_VERSION",
    "Clip",
    "Place",
    "View",
    "caption",
    "moment_text",
    "place_at",
    "random_clip",
    "render_clip",
    "render_frame",
    "screen_box",
    "unknown_words",
    "view_at",
    "vocabulary",
]
