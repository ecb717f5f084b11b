# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend that version 0.1.0 saved: its shots, takes and strips are there, and one goes on with them."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.blender

DEMO = Path(__file__).parent.parent / "made_by_0_1_0" / "demo"
SECOND = "a green barrel comes closer across the dunes at sunset, the camera pans left"


def test_a_file_of_the_first_version_is_opened_restored_and_gone_on_with(in_blender):
    said = in_blender("file_of_0_1_0.py", demo=str(DEMO))
    opened = said["opened"]
    assert opened["names"] == ["Shot 01", "Shot 02", "Shot 03"]
    assert opened["settings"][1] == [SECOND, 2, 48, 8.0, "RATE", "coordinated", "NONE", 8, 10, ""]
    assert [settings[1] for settings in opened["settings"]] == [11, 2, 3]
    assert [settings[6] for settings in opened["settings"]] == ["NONE", "NONE", "CAMERA"]
    assert opened["takes"] == [["Take 1"], ["Take 1"], ["Take 1"]]
    assert opened["pictures"] == [16, 16, 16]
    assert opened["strips"] == [["Shot 01", 1, 1, 49], ["Shot 02", 1, 49, 97], ["Shot 03", 1, 97, 145]]
    assert opened["shown"] == [True] * 3
    assert opened["missing"] == []
    assert said["restored"] == opened["settings"][1]

    went_on = said["went_on"]
    assert went_on["takes"] == [["Take 1", "Take 2"], ["Take 1"], ["Take 1"]]
    assert went_on["strips"] == opened["strips"]
    assert went_on["shown"] == [True] * 3
    assert said["swapped"]["shown"] == [True] * 3
    assert said["swapped"]["pictures"] == [16, 16, 16]
    assert said["reopened"] == said["swapped"]
