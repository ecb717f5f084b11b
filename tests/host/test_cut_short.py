# SPDX-License-Identifier: GPL-3.0-or-later
"""A long shot that was cancelled: it goes on in another Blender, or what is there of it is kept; takes are extended."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender

CLIP = 40
"""Frames of the whole clip."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cut")


@pytest.fixture(scope="module")
def cut(blender_python: Path, user_resources: Path, sidecar_python: Path, folder: Path) -> Any:
    """What the Blender saw that cancelled the shot."""
    return run_script(blender_python, user_resources, folder, "cut_short.py", sidecar=str(sidecar_python))


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, sidecar_python: Path, folder: Path, cut: Any) -> Any:
    """What the next Blender saw."""
    return run_script(blender_python, user_resources, folder, "after_the_cut.py", sidecar=str(sidecar_python))


def test_a_long_shot_fills_its_strip_and_tells_where_it_is(cut: Any) -> None:
    files, spans = cut["while_it_fills"]
    assert files >= 4
    assert spans == [["Shot 01", 1, 1, 121]], "the strip has its full length from the start"
    assert "Segment 1 of 3" in cut["seen"]
    assert any(where.startswith("Window 1–") for where in cut["seen"])
    assert cut["stretch"] == [61, "a red cube moves left on grass at noon"], "a new prompt begins at the playhead"


def test_a_cancelled_shot_keeps_its_frames_and_the_record_of_them(cut: Any) -> None:
    assert cut["state"] == "CANCELLED"
    assert cut["cut_short"]
    assert {"frame_0001.png", "part.json", "request.json"} <= set(cut["files"])
    assert "take.json" not in cut["files"]


def test_it_goes_on_in_another_blender_and_is_what_it_would_have_been(said: Any) -> None:
    assert said["jobs_at_once"] == 0, "nothing goes on by itself"
    assert [state for state, _ in said["ends"]] == ["FINISHED", "FINISHED", "CANCELLED", "FINISHED"], said["ends"]
    before, after, whole, takes = said["gone_on"]
    assert 4 <= before < after == CLIP
    assert whole
    assert takes == 1
    assert said["files"] == [f"frame_{number:04d}.png" for number in range(1, CLIP + 1)]
    assert said["same_as_uninterrupted"]
    assert said["unchanged"] == []


def test_a_part_that_is_kept_is_a_shorter_take(said: Any) -> None:
    assert said["kept"] == ["FINISHED"]
    part = said["part"]
    assert 4 <= part["frames"] < CLIP
    assert part["length"] == [3 * part["frames"]] * 2
    assert part["spans"] == [["Shot 01", 1, 1, 1 + 3 * part["frames"]]]
    assert part["whole"]
    assert not part["cut_short"]
    assert part["changed"] == []
    assert not part["wanting"], "Generate All leaves it as it is"
    assert part["same"]


def test_a_part_is_made_again_from_its_record(said: Any, sidecar_python: Path, tmp_path: Path) -> None:
    command = [str(sidecar_python), "-m", "confiner_cli", "generate", "--take", said["part"]["folder"]]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "-o", str(tmp_path / "again")], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "same: every frame is identical" in done.stderr


def test_later_prompts_come_back_with_the_settings_of_a_take(said: Any) -> None:
    assert said["restored"] == [[[61, "a blue sphere on grass at noon"]], 24]


def test_an_extended_take_begins_with_the_same_frames(said: Any) -> None:
    assert said["extended"] == [CLIP + 8, 144]
    same = said["same_beginning"]
    ahead = same.index(False) if False in same else len(same)
    assert ahead >= CLIP - 28, "frames look at most 28 frames ahead"
    assert said["missing"] == said["overlaps"] == []
