# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes follow their .blend."""

from typing import Any

import pytest

pytestmark = pytest.mark.blender


def test_takes_follow_their_blend(in_blender: Any) -> None:
    said = in_blender("saving.py")
    assert said["unsaved"] == [True, True]
    assert said["moved"] == [True, True]
    assert said["originals_gone"] == [True, True]
    assert said["missing_after_save"] == []
    assert all(path.startswith("//") for paths in said["relative"] for path in paths)
    assert said["stray_followed"], "a frame that was on its way as the file was saved is not lost"
    assert said["whole_after_move"] == 16
    assert said["relative_at_once"] == [True, True, True]
    assert said["relative_after_save_as"] == [True, True, True], "a .blend may be moved together with its takes"
    assert said["after_copy"] == [[True, True, True], []], "saving a copy leaves this file as it is"
    assert said["kept"] == [[True, True, True], []], "they stay where they are, if so preferred"
    assert said["copied"] == [[True, True, True], []]
    assert said["originals_stay"]
    refused, inside, missing = said["failed_save"]
    assert refused == "refused"
    assert inside == [True, True, True]
    assert missing == []
    assert said["reopened"] == [[True, True, True], []]
