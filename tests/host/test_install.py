# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip in real Blender: installed, enabled, disabled."""

from pathlib import Path

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


def test_the_extension_comes_and_goes_without_a_trace(
    blender_python: Path, extension_zip: Path, tmp_path: Path
) -> None:
    said = run_script(blender_python, tmp_path, tmp_path, "install.py", zip=str(extension_zip))
    assert said["enabled"]
    assert said["panels_and_timer"] == [True, True]
    assert said["left_after_disabling"] == []
    assert said["storyboard_and_timer_after_disabling"] == [False, False]
    assert not said["still_called"]
