# SPDX-License-Identifier: GPL-3.0-or-later
"""A button is where it was, and does what it did, when a job starts or ends under the pointer."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender

BOARD = [
    "confiner.generate",
    "confiner.cancel",
    "confiner.generate_all",
    "confiner.cancel_all",
    "bar",
    "line",
    "picture",
]
TAKE = ["picture", "confiner.use_take", "confiner.remove_take", "line"]


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("buttons"), "buttons.py")


def test_nothing_in_the_storyboard_moves_when_a_job_starts_or_ends(said: Any) -> None:
    idle = said["idle"]["storyboard"]
    start = idle.index(BOARD[0])
    assert idle[start : start + len(BOARD)] == BOARD
    for when in ("started", "filling", "finished", "second", "failed"):
        assert said[when]["storyboard"][: len(idle)] == idle, when
    assert len(said["failed"]["storyboard"]) > len(idle), "what went wrong stands below"


def test_a_new_take_moves_none_of_the_others(said: Any) -> None:
    buttons = ["confiner.extend_take", "confiner.restore_take", "confiner.open_take"]
    assert said["started"]["takes"] == said["finished"]["takes"] == said["failed"]["takes"] == [*buttons, *TAKE]
    assert said["second"]["takes"] == [*buttons, *TAKE, *TAKE]


def test_start_and_stop_are_usable_in_turn(said: Any) -> None:
    starting, stopping = ("generate", "extend_take", "go_on", "keep_part"), ("cancel", "cancel_all")
    for when, busy in {"idle": False, "started": True, "finished": False, "second": True, "failed": False}.items():
        usable = said[when]["usable"]
        assert [usable[name] for name in starting] == [not busy] * len(starting), when
        assert [usable[name] for name in stopping] == [busy] * len(stopping), when
