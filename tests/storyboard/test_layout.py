# SPDX-License-Identifier: GPL-3.0-or-later
"""Where shots stand, and how strips keep out of each other's way."""

import pytest

from confiner_blender.storyboard.timeline_layout import CHANNELS, Span, free_channel, right_handle, room_after, starts


def test_shots_follow_each_other_and_a_placed_one_says_where_it_is() -> None:
    assert starts(1, [48, 24, 10], [None, None, None]) == [1, 49, 73]
    assert starts(1, [48, 24, 10], [Span(1, 5, 40), None, None]) == [5, 40, 64]
    assert starts(1, [48, 24, 10], [None, Span(2, 100, 130), None]) == [1, 100, 130]


def test_a_strip_takes_the_first_channel_with_room() -> None:
    assert free_channel(1, 49, []) == 1
    assert free_channel(1, 49, [Span(1, 49, 60), Span(1, -10, 1)]) == 1, "touching is no overlap"
    assert free_channel(1, 49, [Span(1, 48, 60), Span(2, 0, 2)]) == 3


def test_a_strip_keeps_off_channels_that_are_muted_or_locked() -> None:
    assert free_channel(1, 49, [], closed=[1, 2]) == 3
    assert free_channel(1, 49, [Span(3, 1, 9)], closed=[1, 2]) == 4


def test_a_full_timeline_is_refused_with_what_to_do() -> None:
    with pytest.raises(LookupError, match="remove a strip"):
        free_channel(1, 2, [Span(channel, 0, 5) for channel in range(1, CHANNELS + 1)])


def test_the_room_ends_where_the_next_strip_starts() -> None:
    span = Span(1, 1, 49)
    assert room_after(span, [Span(1, 60, 70), Span(1, 80, 90), Span(2, 50, 55)]) == 60
    assert room_after(span, []) is None


@pytest.mark.parametrize(
    ("span", "new_length", "others", "expected"),
    [
        (Span(1, 1, 49), 96, [], 97),  # it showed its end, and goes on doing so
        (Span(1, 1, 49), 96, [Span(1, 60, 99)], 60),  # as far as there is room
        (Span(1, 1, 49), 24, [], 25),  # a shorter take ends earlier
        (Span(1, 1, 40), 96, [], 40),  # a trim stays
        (Span(1, 1, 40), 24, [], 25),  # unless the take ends before it
        (Span(1, 10, 49), 5, [], 11),  # never nothing at all
    ],
)
def test_a_swapped_take_keeps_what_the_strip_showed(
    span: Span, new_length: int, others: list[Span], expected: int
) -> None:
    assert right_handle(span, 1, 48, new_length, others) == expected
