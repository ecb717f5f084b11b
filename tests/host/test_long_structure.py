# SPDX-License-Identifier: GPL-3.0-or-later
"""A long shot that starts from the scene's camera."""

from typing import Any

import pytest

pytestmark = pytest.mark.blender


def test_a_camera_lays_out_a_shot_of_many_windows(in_blender: Any, sidecar_python: Any) -> None:
    said = in_blender("long_structure.py", sidecar=str(sidecar_python))
    assert said["state"] == "FINISHED", said["problem"]
    assert said["slices"] >= 96, "Blender may draw after each frame"
    assert said["frame"] == 40, "the playhead is where it was"
    assert said["structure"] == said["frames"] == 96
    assert said["files"] == [f"frame_{number:04d}.png" for number in range(1, 97)]
    assert "control" not in said["stages"]
    assert "refine" in said["stages"]
    assert said["missing"] == []
