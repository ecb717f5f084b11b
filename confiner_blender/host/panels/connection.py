# SPDX-License-Identifier: GPL-3.0-or-later
"""The line to the sidecar: its state, what is wrong with it and the way out, the end of its log."""

from __future__ import annotations

from typing import Any

from ...client.lifecycle import State
from ..add_on import preferences, set_up_commands
from ..runtime import RUNTIME
from .sentences import draw_problem, draw_sentence

STATES = {
    State.CLOSED: ("Not connected", "UNLINKED"),
    State.STARTING: ("Starting the sidecar …", "SORTTIME"),
    State.CONNECTING: ("Connecting …", "SORTTIME"),
    State.GREETING: ("Connecting …", "SORTTIME"),
    State.READY: ("Ready", "CHECKMARK"),
    State.FAILED: ("Not connected", "ERROR"),
}
LOG_LINES = 8


def headline() -> tuple[str, str]:
    """The state in few words, and its icon."""
    text, icon = STATES[RUNTIME.link.state]
    if RUNTIME.link.state is State.READY and RUNTIME.link.device:
        text = f"Ready on {RUNTIME.link.device}"
    return text, icon


def draw_connection(layout: Any, width: int) -> None:
    """All there is to say about the sidecar."""
    text, icon = headline()
    row = layout.row()
    row.label(text=text, icon=icon)
    row.operator("confiner.connect", text="Connect" if RUNTIME.link.state is State.CLOSED else "Test Connection")
    if RUNTIME.link.problem is not None:
        problem = RUNTIME.link.problem
        draw_problem(layout, problem.message, problem.remedy, width)
    if not preferences().sidecar_python and RUNTIME.link.state is not State.READY:
        draw_set_up(layout, width)
    if RUNTIME.link.log_tail and RUNTIME.link.state is not State.READY:
        draw_log(layout)


def draw_set_up(layout: Any, width: int) -> None:
    """What to type where no sidecar is installed."""
    box = layout.box()
    draw_sentence(box, "To set up the sidecar, type in a terminal:", width, "CONSOLE")
    column = box.column(align=True)
    for command in set_up_commands():
        column.label(text=command)
    draw_sentence(box, "Then choose its Python in the preferences.", width, "BLANK1")
    row = box.row(align=True)
    row.operator("confiner.copy_commands", icon="COPYDOWN")
    row.operator("confiner.preferences", icon="PREFERENCES")


def draw_log(layout: Any) -> None:
    """The last lines of the sidecar's log."""
    header, body = layout.panel("confiner_log", default_closed=True)
    header.label(text="Last lines of its log", icon="TEXT")
    if body is not None:
        column = body.column(align=True)
        column.scale_y = 0.75
        for line in RUNTIME.link.log_tail.splitlines()[-LOG_LINES:]:
            column.label(text=line)
