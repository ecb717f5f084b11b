# SPDX-License-Identifier: GPL-3.0-or-later
"""The animator's buttons in real Blender, with the real sidecar and the bundled experts."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(
    blender_python: Path, user_resources: Path, sidecar_python: Path, tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """What one run of the script has seen."""
    folder = tmp_path_factory.mktemp("generating")
    return run_script(blender_python, user_resources, folder, "generating.py", sidecar=str(sidecar_python))


def test_generate_all_puts_every_shot_on_the_timeline(said: Any) -> None:
    assert said["done"]
    assert said["ended"] == ["FINISHED", "FINISHED"], said["problems"]
    assert {"CAPTURING", "RUNNING"} <= set(said["states"])
    assert said["spans"] == [["Shot 01", 1, 1, 13], ["Shot 02", 1, 13, 25]]
    held = [f"frame_{1 + offset // 3:04d}.png" for offset in range(12)]
    assert said["files"] == [held, held]
    assert said["missing"] == said["overlaps"] == []
    assert all("take.json" in files for files in said["folders"])
    assert sum(name.startswith("structure_") for name in said["folders"][1]) == 4
    assert said["second_all"] == ["CANCELLED"], "shots that have their take are left alone"


def test_the_same_settings_make_the_same_take(said: Any) -> None:
    assert said["same_again"]
    assert said["new_take_is_used"]


def test_settings_that_changed_are_named_and_can_be_taken_back(said: Any) -> None:
    assert said["changed"] == ["prompt", "seed", "refinement steps", "structure"]
    assert said["restored"] == ["a red cube moves left on grass at noon", 3, 2, "NONE"]


def test_a_cancelled_job_leaves_nothing_half_made(said: Any) -> None:
    state, takes, old_take_used, folder_left = said["cancelled"]
    assert state == "CANCELLED"
    assert takes == 2
    assert old_take_used
    assert not folder_left


@pytest.mark.parametrize(
    ("field", "message"),
    [("prompt", "empty"), ("chain", "“nowhere”"), ("size", "72 × 64"), ("length", "clip frames")],
)
def test_bad_input_is_refused_in_the_panel_with_what_to_do(said: Any, field: str, message: str) -> None:
    outcome, text, remedy = said["refusals"][field]
    assert outcome == ["CANCELLED"]
    assert message in text
    assert remedy
