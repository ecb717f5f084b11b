# SPDX-License-Identifier: GPL-3.0-or-later
"""What the author has set up is as it was, after a capture and after one that failed."""

from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(blender_python: Any, user_resources: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("output"), "output_settings.py")


@pytest.mark.parametrize("case", ["quicktime", "exr", "grey", "jpeg", "own view"])
def test_a_capture_leaves_every_setting_and_the_camera_alone(said: Any, case: str) -> None:
    assert said["said"][case] == [False, []]
    assert said["said"][f"{case}, failed"] == [True, []]


def test_a_take_keeps_off_channels_that_are_muted_or_locked(said: Any) -> None:
    assert said["channel"] == 3
