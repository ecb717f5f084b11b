# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in panels, which Blender would cut off at the panel's edge."""

from __future__ import annotations

import textwrap
from typing import Any

import bpy

LETTER = 6.6
"""Pixels that an average letter takes at a user interface scale of 1."""
MARGIN = 60


def draw_sentence(layout: Any, text: str, width: int, icon: str = "NONE") -> None:
    """Draw `text` over as many lines as a region `width` pixels wide needs, the icon before the first."""
    scale = bpy.context.preferences.system.ui_scale or 1  # 0 where there is no window
    letters = max(int((width / scale - MARGIN) / LETTER), 16)
    column = layout.column(align=True)
    column.scale_y = 0.85
    for number, line in enumerate(textwrap.wrap(text, letters) or [""]):
        if icon == "NONE":
            column.label(text=line)
        else:
            column.label(text=line, icon=icon if number == 0 else "BLANK1")


def draw_problem(layout: Any, message: str, remedy: str, width: int) -> Any:
    """A box with what happened and what to do about it. Returns it, for a button below."""
    box = layout.box()
    column = box.column()
    alert = column.column()
    alert.alert = True
    draw_sentence(alert, _capital(message), width, "ERROR")
    if remedy:
        draw_sentence(column, _capital(remedy), width, "BLANK1")
    return column


def _capital(text: str) -> str:
    """Errors are written in lower case, for logs; in a panel they are sentences."""
    return text[:1].upper() + text[1:]
