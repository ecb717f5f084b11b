# SPDX-License-Identifier: GPL-3.0-or-later
"""Structure frames from real Blender."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("capture"), "capture.py")


def test_structure_shows_the_cameras_view_and_leaves_the_scene_as_it_was(said: Any) -> None:
    assert said["size"] == [64, 64, 3]
    assert said["slices"] == 16, "one frame a slice"
    assert all(said["pngs"])
    assert said["colourful"] < 16, "the take on the timeline is red; the camera sees grey"
    assert min(said["changes"]) > 0.1, "the cube moves from frame to frame"
    assert said["after"] == said["before"]
    assert said["failure"] == "the render failed"
    assert said["after_failure"] == said["before"]


def test_a_strip_can_lay_out_a_shot(said: Any) -> None:
    assert said["red"] == [200, 30, 30], "the strip's own colours, whatever the scene's view transform"
    assert said["scenes"] == 1, "the scene it was rendered in is gone"


def test_what_cannot_be_captured_is_refused_with_what_to_do(said: Any) -> None:
    camera, none_chosen, unknown = said["refusals"]
    assert "no camera" in camera
    assert "No strip chosen" in none_chosen
    assert "“nothing”" in unknown
    assert all(": " in refusal for refusal in (camera, none_chosen, unknown))
