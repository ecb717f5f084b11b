# SPDX-License-Identifier: GPL-3.0-or-later
"""The line to the sidecar: its state, what is wrong with it and the way out, the end of its log."""

from __future__ import annotations

from typing import Any

from ...client.session.session_states import State
from ...protocol.messages import Problem
from ..blender.add_on import set_up_commands, sidecar_python
from ..session.runtime import RUNTIME, Errand
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
    if RUNTIME.link.state is State.READY and RUNTIME.link.device not in ("", "auto"):
        text = f"Ready on {RUNTIME.link.device}"
    return text, icon


def draw_connection(layout: Any, width: int) -> None:
    """All there is to say about the sidecar."""
    text, icon = headline()
    row = layout.row()
    row.label(text=text, icon=icon)
    row.operator("confiner.connect")
    row.operator("confiner.test_connection", text="Test")
    if RUNTIME.link.problem is not None:
        draw_problem(layout, RUNTIME.link.problem.message, RUNTIME.link.problem.remedy, width)
    if RUNTIME.test is not None:
        _draw_test(layout, RUNTIME.test, width)
    if RUNTIME.link.state is State.READY and RUNTIME.card is not None and RUNTIME.card.problem is not None:
        _draw_unused_card(layout, RUNTIME.card.problem, width)
    if RUNTIME.link.state is not State.READY:
        if sidecar_python() is None:
            draw_set_up(layout, width)
        if RUNTIME.link.log_tail:
            _draw_log(layout, RUNTIME.link.log_tail)


def draw_set_up(layout: Any, width: int) -> None:
    """How to get a sidecar where there is none: the button, or what to type."""
    box = layout.box()
    draw_sentence(box, "The experts run in a process of their own, which is not installed yet.", width, "INFO")
    _draw_install(box, width)
    draw_sentence(box, "Or type in a terminal, and choose that Python in the preferences:", width, "CONSOLE")
    column = box.column(align=True)
    for command in set_up_commands():
        draw_sentence(column, command, width, "BLANK1")
    row = box.row(align=True)
    row.operator("confiner.copy_commands", icon="COPYDOWN")
    row.operator("confiner.preferences", icon="PREFERENCES")


def _draw_install(box: Any, width: int) -> None:
    """The buttons that start and stop the installation, each in its place, and how far it is."""
    errand = RUNTIME.installation
    split = box.split(factor=0.7, align=True)
    split.scale_y = 1.3
    split.operator("confiner.install_sidecar", icon="IMPORT")
    split.operator("confiner.stop_installation", icon="X")
    under_way = errand is not None and not errand.ended
    box.progress(
        factor=errand.fraction if under_way else 0.0,
        text=errand.line[:60] if under_way else "Nothing is being installed",
    )
    if errand is not None and errand.problem is not None:
        draw_problem(box, errand.problem.message, errand.problem.remedy, width)
        _draw_log(box, errand.log_tail)


def _draw_unused_card(layout: Any, problem: Problem, width: int) -> None:
    """That clips are made on the processor beside a card, and the button that mends it."""
    _draw_install(draw_problem(layout, problem.message, problem.remedy, width), width)


def _draw_test(layout: Any, errand: Errand, width: int) -> None:
    box = layout.box()
    for line in errand.passed:
        draw_sentence(box, line, width, "CHECKMARK")
    if not errand.ended:
        box.label(text="Testing …", icon="SORTTIME")
    elif errand.problem is not None:
        draw_problem(box, errand.problem.message, errand.problem.remedy, width)


def _draw_log(layout: Any, tail: str) -> None:
    """The last lines of a log, folded away."""
    header, body = layout.panel("confiner_log", default_closed=True)
    header.label(text="Last lines of its log", icon="TEXT")
    if body is not None:
        column = body.column(align=True)
        column.scale_y = 0.75
        for line in tail.splitlines()[-LOG_LINES:]:
            column.label(text=line)
