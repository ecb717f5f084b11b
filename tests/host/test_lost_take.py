# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes that arrive and are not saved: a crash, a file closed unsaved, copies, and what is found in the folder."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import RESULT

pytestmark = pytest.mark.blender

Live = Callable[..., Any]


@pytest.fixture
def live(start_in_blender: Callable[..., subprocess.Popen[str]]) -> Live:
    """One life of a Blender, which is killed at its end or, with end="quit", closed; returns how things stood then."""

    def run(*do: str, end: str = "crash") -> Any:
        process = start_in_blender("lost_take.py", do=list(do), end=end)
        output, errors = process.communicate(timeout=300)
        lines = [line for line in output.splitlines() if line.startswith(RESULT)]
        assert lines, f"{output}\n{errors}"
        assert process.returncode == (-signal.SIGKILL if end == "crash" else 0), errors
        return json.loads(lines[0].removeprefix(RESULT))

    return run


def test_a_take_that_arrived_after_the_save_survives_a_crash(live: Live) -> None:
    said = live("new", "save", "take")
    assert (said["strips"], said["ledger"]) == (["Take 1"], ["arrived"])
    said = live("open")
    assert said["names"] == said["strips"] == ["Take 1"]
    assert (said["active"], said["pictures"], said["missing"]) == ("Take 1", [4], [])
    assert said["offered"] == 0
    said = live("open", "save")
    assert (said["names"], said["ledger"]) == (["Take 1"], [])
    said = live("open")
    assert (said["names"], said["strips"], said["offered"]) == (["Take 1"], ["Take 1"], 0)


def test_several_takes_of_a_shot_come_back_in_their_order(live: Live) -> None:
    live("new", "take", "save", "take", "take:2", "take")
    said = live("open")
    assert said["names"] == ["Take 1", "Take 2", "Take 3", "Take 4"]
    assert said["frames"] == [4, 4, 2, 4]
    assert said["strips"] == ["Take 4"]


def test_a_take_that_finished_after_its_file_was_saved_half_made_comes_up_whole(live: Live) -> None:
    said = live("new", "take", "start:2", "save")
    assert said["ledger"] == [""], "its job is followed"
    said = live("open")
    assert (said["names"], said["strips"]) == (["Take 1", "Take 2"], ["Take 1"])
    said = live("open", "finish")
    assert (said["strips"], said["ledger"]) == (["Take 2"], ["arrived"])
    said = live("open")
    assert (said["strips"], said["pictures"]) == (["Take 2"], [4])


def test_a_file_that_was_never_saved_finds_its_takes_through_the_autosave(live: Live) -> None:
    live("new", "autosave:quick.blend", "take")
    said = live("recover:quick.blend")
    assert said["names"] == said["strips"] == ["Take 1"]
    assert said["missing"] == []


def test_an_autosave_is_no_save(live: Live) -> None:
    live("new", "save", "take", "autosave:quick.blend")
    said = live("open")
    assert said["names"] == ["Take 1"]
    assert said["ledger"] == ["arrived"]


def test_a_saved_copy_is_not_the_file_that_is_open(live: Live) -> None:
    live("new", "save", "take", "copy:copy.blend")
    said = live("open")
    assert said["names"] == ["Take 1"]
    said = live("open:copy.blend")
    assert said["names"] == ["Take 1"]


def test_saved_under_another_name_the_take_is_in_that_file_and_offered_in_the_other(live: Live) -> None:
    said = live("new", "save", "take", "save:other.blend")
    assert said["ledger"] == []
    said = live("open:other.blend")
    assert (said["names"], said["offered"]) == (["Take 1"], 0)
    said = live("open")
    assert (said["names"], said["offered"]) == ([], 1), "nothing is taken in unasked"


def test_a_file_that_was_closed_unsaved_lists_the_take_and_shows_what_it_showed(live: Live) -> None:
    live("new", "take", "save", "take", end="quit")
    said = live("open")
    assert (said["names"], said["strips"]) == (["Take 1", "Take 2"], ["Take 1"])
    said = live("open", "take", "open")
    assert (said["names"], said["strips"]) == (["Take 1", "Take 2", "Take 3"], ["Take 1"])


def test_an_undo_before_the_save_loses_nothing(live: Live) -> None:
    live("new", "save", "rename:one", "take", "rename:two", "undo", "undo", "save")
    said = live("open")
    assert said["names"] == said["strips"] == ["Take 1"]
    assert said["ledger"] == []


def test_what_the_author_removed_never_comes_back(live: Live) -> None:
    said = live("new", "save", "take", "take", "remove:1")
    assert said["ledger"] == ["arrived", "removed"]
    said = live("open")
    assert (said["names"], said["strips"], said["offered"]) == (["Take 1"], ["Take 1"], 0)
    said = live("open", "save")
    assert said["ledger"] == []
    said = live("open")
    assert (said["names"], said["offered"]) == (["Take 1"], 0)


def test_a_removal_that_was_undone_is_none(live: Live) -> None:
    said = live("new", "save", "take", "rename:one", "remove:0", "undo")
    assert said["ledger"] == ["arrived"]
    assert live("open")["names"] == ["Take 1"]


@pytest.mark.parametrize("notes", ["notes", "old_notes"])
def test_what_lies_in_the_folder_is_offered_and_taken_in_when_asked(live: Live, notes: str) -> None:
    live("new", "save", "take", "take:2", "start:0", "forget_ledger", *([notes] if notes == "old_notes" else []))
    said = live("open")
    assert (said["names"], said["offered"]) == ([], 2), "the third has no picture"
    said = live("open", "take_in", "save")
    assert (said["names"], said["strips"], said["offered"]) == (["Take 1", "Take 2"], [], 0)
    assert (said["frames"], said["lengths"]) == ([4, 2], [12, 12])
    said = live("open", "use:0")
    assert (said["strips"], said["missing"]) == (["Take 1"], [])


def test_what_is_found_can_be_left_for_good(live: Live) -> None:
    live("new", "save", "take", "forget_ledger")
    assert live("open", "leave_found", "save")["offered"] == 0
    said = live("open")
    assert (said["names"], said["offered"], said["folders"]) == ([], 0, 1)
