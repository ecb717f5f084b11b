# SPDX-License-Identifier: GPL-3.0-or-later
"""The line to the sidecar: opened when it is first needed, closed with the extension."""

from __future__ import annotations

from ...client.session.inbox import StateChanged
from ...client.session.session import SidecarSession
from ...client.session.session_states import State
from ...protocol.messages import ListChains
from ...protocol.weights import ListWeights
from ..blender.add_on import launch_command
from .runtime import RUNTIME


def open_link() -> SidecarSession:
    """The session, opened if it was not, or told to try again at once if it waits."""
    if RUNTIME.session is None:
        RUNTIME.session = SidecarSession(launch_command())
        RUNTIME.session.open()
    elif RUNTIME.link.state in (State.FAILED, State.CLOSED):
        RUNTIME.session.open()
    return RUNTIME.session


def reopen_link() -> SidecarSession:
    """The session, which starts the sidecar as the preferences say now. What was asked for before still holds."""
    if RUNTIME.session is None:
        return open_link()
    RUNTIME.session.relaunch(launch_command())
    return RUNTIME.session


def close_link() -> None:
    """Let go of the sidecar; its jobs go on."""
    if RUNTIME.session is not None:
        RUNTIME.session.close()
        RUNTIME.session = None
    RUNTIME.link.state = State.CLOSED


def state_changed(message: StateChanged) -> None:
    """What the panel shows; and once the line stands, ask which chains there are."""
    link = RUNTIME.link
    link.state, link.problem, link.log_tail = message.state, message.problem, message.log_tail
    if message.state is State.READY:
        ask_for_chains()


def ask_for_chains() -> None:
    """Ask which chains there are, and which of their weights."""
    if RUNTIME.session is not None:
        RUNTIME.session.send(ListChains())
        RUNTIME.session.send(ListWeights())
