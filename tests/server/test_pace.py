# SPDX-License-Identifier: GPL-3.0-or-later
"""The remaining time is judged by what was timed."""

import pytest
from confiner_server.worker.time_left import Pace


@pytest.fixture
def clock():
    class Clock:
        now = 50.0

        def __call__(self):
            return self.now

    return Clock()


def test_nothing_is_said_before_something_was_timed_and_the_first_step_does_not_count(clock):
    pace = Pace(clock)
    pace.start("kind", 0)
    clock.now += 30
    assert pace.seconds_left(1, 10) is None
    clock.now += 4
    assert pace.seconds_left(3, 10) == pytest.approx(14)
    assert pace.seconds_left(3, 10) == pytest.approx(14), "a step without evaluations changes nothing"
    clock.now += 10
    assert pace.seconds_left(8, 10) == pytest.approx(4)


def test_a_clip_of_the_same_kind_knows_its_pace_from_the_start(clock):
    pace = Pace(clock)
    pace.start("kind", 0)
    pace.seconds_left(1, 10)
    clock.now += 2
    pace.seconds_left(2, 10)
    pace.start("kind", 5)
    assert pace.seconds_left(6, 10) == pytest.approx(8)
    pace.start("another", 0)
    assert pace.seconds_left(1, 10) is None


def test_frames_that_are_still_to_be_decoded_are_counted_by_what_others_took(clock):
    pace = Pace(clock)
    pace.start("kind", 0)
    pace.seconds_left(1, 10, 8)
    clock.now += 2
    assert pace.seconds_left(2, 10, 8) == pytest.approx(16), "nothing is known of frames yet"
    clock.now += 6
    pace.delivered(4)
    clock.now += 2
    assert pace.seconds_left(3, 10, 4) == pytest.approx(7 * 2 + 4 * 1.5)
