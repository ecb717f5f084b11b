# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a session and the one table of its transitions.

CLOSED ─opened─► STARTING ─met─► CONNECTING ─connected─► GREETING ─welcomed─► READY
                    ▲                                                           │
                    └─retried── FAILED ◄─failed── any state but CLOSED ◄────────┘
"""

from __future__ import annotations

import enum


class State(enum.Enum):
    """What the panel shows of the sidecar."""

    CLOSED = "closed"
    STARTING = "starting"
    CONNECTING = "connecting"
    GREETING = "greeting"
    READY = "ready"
    FAILED = "failed"


class Happening(enum.Enum):
    """What moves a session from one state to the next."""

    OPENED = "opened"
    MET = "met"
    CONNECTED = "connected"
    WELCOMED = "welcomed"
    FAILED = "failed"
    RETRIED = "retried"
    CLOSED = "closed"


TRANSITIONS: dict[tuple[State, Happening], State] = {
    (State.CLOSED, Happening.OPENED): State.STARTING,
    (State.STARTING, Happening.MET): State.CONNECTING,
    (State.STARTING, Happening.FAILED): State.FAILED,
    (State.STARTING, Happening.CLOSED): State.CLOSED,
    (State.CONNECTING, Happening.CONNECTED): State.GREETING,
    (State.CONNECTING, Happening.FAILED): State.FAILED,
    (State.CONNECTING, Happening.CLOSED): State.CLOSED,
    (State.GREETING, Happening.WELCOMED): State.READY,
    (State.GREETING, Happening.FAILED): State.FAILED,
    (State.GREETING, Happening.CLOSED): State.CLOSED,
    (State.READY, Happening.FAILED): State.FAILED,
    (State.READY, Happening.CLOSED): State.CLOSED,
    (State.FAILED, Happening.RETRIED): State.STARTING,
    (State.FAILED, Happening.CLOSED): State.CLOSED,
}


class IllegalTransition(Exception):
    """A happening that has no meaning in the state it met: a defect of the session."""

    def __init__(self, state: State, happening: Happening) -> None:
        known = [h.value for s, h in TRANSITIONS if s is state]
        super().__init__(f"{happening.value} while {state.value}, expected one of {', '.join(known)}")


def after(state: State, happening: Happening) -> State:
    """The state that follows.

    Raises:
        IllegalTransition: the table has no such entry.
    """
    try:
        return TRANSITIONS[state, happening]
    except KeyError:
        raise IllegalTransition(state, happening) from None
