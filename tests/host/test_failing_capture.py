# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture that fails ends its own job with a sentence; the others go on, and nothing is left behind."""

from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(blender_python: Any, user_resources: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("failing"), "failing_capture.py")


def test_what_nobody_foresaw_ends_the_job_with_one_traceback(said: Any) -> None:
    state, message, remedy = said["broken"]
    assert state == "FAILED"
    assert "KeyError" in message
    assert remedy
    assert said["tracebacks"] == 1
    assert said["link"] == "None", "the connection is not to blame"


def test_a_frame_that_cannot_be_written_is_named(said: Any) -> None:
    state, message, remedy = said["blocked"]
    assert state == "FAILED"
    assert "structure_0003.png cannot be written (Is a directory)" in message
    assert "generate again" in remedy
    state, problem = said["removed"]
    assert state == "FAILED"
    assert "cannot be written (No such file or directory)" in problem


def test_the_other_shots_are_captured_all_the_same(said: Any) -> None:
    assert said["whole"] == [[[number, False] for number in range(6)], [6]]
    assert said["scenes"] == ["Scene"]
    assert said["mute"] == [False, False]


def test_missing_source_files_are_named_in_the_refusal(said: Any) -> None:
    assert "source_0002.png" in said["missing"]
    assert "movie.mp4" in said["movie"]
    assert said["outside the trim"] == "", "a file that is not shown is not missed"
    state, message = said["late"]
    assert state == "FAILED"
    assert "source_0007.png" in message
