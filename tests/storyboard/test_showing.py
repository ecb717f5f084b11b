# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that arrive between the author's choices."""

from confiner_blender.storyboard.showing import arrived, holds, next_choice


def test_a_take_that_arrives_is_shown_until_the_author_chooses() -> None:
    assert not holds(None, 0)
    last = arrived("a", None, 0)
    assert holds(last, 0)
    assert not holds(last, next_choice(last, 0))


def test_undoing_a_choice_leads_back_to_the_take_that_came_before_it() -> None:
    last = arrived("b", arrived("a", None, 0), 0)
    choice = next_choice(last, 0)
    assert (choice, holds(last, choice), holds(last, choice - 1)) == (1, False, True)


def test_a_take_that_arrives_while_a_choice_stands_undone_gives_way_to_it_when_it_is_redone() -> None:
    first, second = 1, 2
    last = arrived("b", arrived("a", None, 0), first)
    assert holds(last, first)
    assert not holds(last, second)


def test_a_choice_that_a_take_has_replaced_does_not_come_back() -> None:
    last = arrived("c", arrived("b", None, 5), 2)
    assert all(holds(last, choice) for choice in range(6))
    assert next_choice(last, 2) == 6
