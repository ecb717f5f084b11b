# SPDX-License-Identifier: GPL-3.0-or-later
"""Real undo in real Blender: it moves the author's own steps and nothing else, whatever arrives between them."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("undoing"), "undoing.py")


def test_undoing_something_else_leaves_the_take_that_arrived(said: Any) -> None:
    assert said["rename_undone"] == ["a", "a", [["Shot 01", 1, 1, 49]]], "the strip came between two steps"
    assert said["rename_redone"] == ["a", "a"]
    assert said["another_rename_undone"] == ["b", "ab", ["Take 1", "Take 2"]]


def test_undoing_a_swap_brings_back_what_was_on_the_timeline_before_it(said: Any) -> None:
    assert said["swapped"] == "a"
    assert said["swap_undone"] == "c", "not b, which stood there at the step before"
    assert said["swap_redone"] == "a"
    assert said["rename_after_swap"] == ["a", "a", "a"]
    assert said["all_the_way"] == [["c", "c", "c"], "abc"]
    assert said["and_back"] == [["c", "c", "a", "a"], "abc"]


def test_a_take_that_arrives_among_undone_steps_stands_before_them(said: Any) -> None:
    assert said["before_the_swap"] == "c"
    assert said["arrived"] == "d"
    assert said["swapped_again"] == ["a", "d", "a"]
    assert said["stays_swapped"] == ["a", "a"]


def test_the_authors_own_work_on_a_strip_is_what_moves(said: Any) -> None:
    assert said["trim_undone"] == ["e", [["Shot 01", 1, 1, 49]]]
    assert said["trim_redone"] == ["e", [["Shot 01", 1, 5, 40]]]
    assert said["deleted"] == ["", ""]
    assert said["deletion_undone"] == "e"
    assert said["deletion_redone"] == ""


def test_what_failed_or_was_removed_does_not_come_up(said: Any) -> None:
    assert said["failed"] == said["failed_and_undone"] == said["failed_and_redone"] == ["", []]
    before, after = said["removed"]
    assert before == ["abcde", "e"]
    assert after == ["abde", "e"]
    assert said["removal_undone"] == [True, "e"]
    assert said["removal_redone"] == ["abde", "e"]
    assert said["missing"] == said["overlaps"] == []


def test_a_take_waits_for_a_shot_that_stands_undone(said: Any) -> None:
    assert said["shot_undone_and_redone"] == [2, 3, "x", "x"]


@pytest.mark.parametrize("seed", range(3))
def test_random_steps_keep_to_the_rules(in_blender: Any, seed: int) -> None:
    said = in_blender("random_steps.py", seed=seed, steps=300)
    assert said["wrong"] == []
    assert said["missing"] == said["overlaps"] == []
    assert said["steps"] == 300
