# SPDX-License-Identifier: GPL-3.0-or-later
"""Which take a shot shows, when takes arrive by themselves between the steps that the author takes, undoes and redoes.

The author's choices are numbered upwards along the history, and the number of the last one is undone and redone with
it. A take that arrives is shown in place of the choice that holds then and of every earlier one. What the author
chooses after it, or had undone and chooses again by redoing it, is shown in place of the take. So the answer hangs on
where the author stands in the history and on nothing else: undo and redo lead to the same take each time.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shown:
    """A take that was shown when it arrived, in place of the author's choices up to the number `after`."""

    take: str
    after: int


def arrived(take: str, before: Shown | None, choice: int) -> Shown:
    """What holds once `take` has arrived, `before` being what held and `choice` the number of the author's last one."""
    return Shown(take, choice if before is None else max(before.after, choice))


def next_choice(last: Shown | None, choice: int) -> int:
    """The number of the author's next choice, `choice` being that of the last one."""
    return 1 + (choice if last is None else max(last.after, choice))


def holds(last: Shown | None, choice: int) -> bool:
    """Whether the take that arrived `last` is what the shot shows where the author's last choice has that number."""
    return last is not None and choice <= last.after
