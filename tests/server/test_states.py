# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a job's states."""

import pytest
from confiner_server.jobs.job_states import ENDED, TRANSITIONS, IllegalTransition, JobState, Trigger, next_state


def test_what_the_table_does_not_know_is_one_error_that_names_state_and_trigger():
    for state in JobState:
        for trigger in Trigger:
            if (state, trigger) not in TRANSITIONS:
                with pytest.raises(IllegalTransition, match=f"is {state.value} and met {trigger.name}"):
                    next_state("job", state, trigger)


def test_an_ended_job_goes_on_only_if_it_was_cut_short_and_is_asked_for_again_or_has_lost_frames():
    ways = {(state, trigger) for state, trigger in TRANSITIONS if state in ENDED}
    cut_short = {(JobState.CANCELLED, Trigger.RESUME), (JobState.FAILED, Trigger.RESUME)}
    assert ways == {*cut_short, (JobState.FINISHED, Trigger.LOSE)}


def test_every_state_can_be_reached_and_every_other_can_be_cancelled():
    assert set(TRANSITIONS.values()) | {JobState.RECEIVING} == set(JobState)
    assert {state for state, trigger in TRANSITIONS if trigger is Trigger.CANCEL} == set(JobState) - ENDED
