# SPDX-License-Identifier: GPL-3.0-or-later
"""A strip lays out its shot as the timeline shows it, whatever the author has done to it."""

from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender
CASES = ("plain", "reversed", "mirrored", "strobe", "hard trimmed", "reversed and trimmed", "moved", "sliding",
         "slowed", "meta", "muted")  # fmt: skip


@pytest.fixture(scope="module")
def said(blender_python: Any, user_resources: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("shown"), "as_shown.py")


@pytest.mark.parametrize("case", CASES)
def test_structure_is_what_the_timeline_shows(said: Any, case: str) -> None:
    assert said["said"][case] == said["wanted"][case]


def test_what_was_tried_differs_from_the_plain_strip(said: Any) -> None:
    plain = said["wanted"]["plain"]
    assert plain == [[number, False] for number in range(6)]
    assert [case for case in CASES if said["wanted"][case] == plain] == ["plain", "muted"]


def test_a_scene_strip_shows_its_scene_moving_as_the_viewport_draws_it(said: Any) -> None:
    assert said["views"] == 6
    assert said["engine"], "the scene's engine is what it was"
