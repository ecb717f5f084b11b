# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame k of a shot is laid out by frame k of its strip or camera, wherever the author looks meanwhile."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from .conftest import run_script

pytestmark = pytest.mark.blender

FROM_THE_START = [[number, False] for number in range(6)]
FROM_THE_FIFTH = [[number, False] for number in range(4, 10)]


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("whose"), "whose_frame.py")


@pytest.mark.parametrize("window", ["", ", another scene in the window"])
@pytest.mark.parametrize(
    ("case", "frames"),
    [
        ("playhead at 1", FROM_THE_START),
        ("playhead at 9", FROM_THE_START),
        ("playhead past the end", FROM_THE_START),
        ("strip that starts at 30", FROM_THE_START),
        ("strip that starts before zero", FROM_THE_START),
        ("trimmed", FROM_THE_FIFTH),
        ("movie", FROM_THE_START),
        ("trimmed movie", FROM_THE_FIFTH),
    ],
)
def test_each_frame_comes_from_the_strips_own(said: Any, case: str, window: str, frames: list[list[int]]) -> None:
    assert said["strips"][case + window] == frames


def test_scrubbing_and_switching_scenes_between_slices_changes_nothing(said: Any) -> None:
    assert said["strips"]["author at work"] == FROM_THE_START
    assert max(said["worked_off"]) == 0


def test_a_strip_that_ends_early_holds_its_last_frame(said: Any) -> None:
    assert said["strips"]["shot outlasts the strip"] == [[number, False] for number in (0, 1, 2, 2, 2, 2)]


def test_the_camera_of_a_scene_that_is_not_looked_at_is_rendered_at_its_own_frames(said: Any) -> None:
    assert said["different"] == 16
    assert max(said["camera_off"]) == 0, "equal to plain renders of that scene"
    assert said["scenes"] == ["Elsewhere", "Scene"], "nothing is left of the capture"


def test_structure_frames_say_nothing_but_the_picture(said: Any) -> None:
    for path in map(Path, said["pngs"]):
        picture = Image.open(path)
        picture.load()
        assert not picture.info
        assert b"tEXt" not in path.read_bytes()
