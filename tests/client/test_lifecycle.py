# SPDX-License-Identifier: GPL-3.0-or-later
"""The states of a session: every happening leads somewhere known, or is a defect with a name."""

import pytest

from confiner_blender.client.session.session_states import TRANSITIONS, Happening, IllegalTransition, State, after


def test_the_straight_way_leads_to_ready() -> None:
    state = State.CLOSED
    for happening in (Happening.OPENED, Happening.MET, Happening.CONNECTED, Happening.WELCOMED):
        state = after(state, happening)
    assert state is State.READY


def test_a_failure_anywhere_can_be_tried_again() -> None:
    for state in set(State) - {State.CLOSED, State.FAILED}:
        assert after(after(state, Happening.FAILED), Happening.RETRIED) is State.STARTING


def test_every_state_but_closed_can_be_closed() -> None:
    assert {state for state, happening in TRANSITIONS if happening is Happening.CLOSED} == set(State) - {State.CLOSED}


def test_an_impossible_happening_names_itself_and_the_state() -> None:
    with pytest.raises(IllegalTransition, match="welcomed while starting, expected one of met, failed, closed"):
        after(State.STARTING, Happening.WELCOMED)
