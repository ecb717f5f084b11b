# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes on the timeline of real Blender: filled, trimmed, swapped beside neighbours, copied with their scene."""

from pathlib import Path
from typing import Any

import pytest

from .conftest import run_script

pytestmark = pytest.mark.blender


@pytest.fixture(scope="module")
def said(blender_python: Path, user_resources: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What one run of the script has seen."""
    return run_script(blender_python, user_resources, tmp_path_factory.mktemp("strip_life"), "strip_life.py")


def test_a_strip_lives_as_its_take_does(said: Any) -> None:
    files, spans = said["before_any_frame"]
    assert files == ["slate.png"], "before its first frame a strip shows the slate"
    assert spans == [["Shot 01", 1, 1, 49]], "and it has its full length at once"
    thirds = [f"frame_{1 + offset // 3:04d}.png" for offset in range(15)]
    assert said["five_frames"] == thirds + ["frame_0005.png"] * 33, "frames to come hold the last one"
    assert said["trim_kept"] == [4, 40]
    assert said["whole"] == [f"frame_{n:04d}.png" for n in range(1, 17)]
    assert said["trim_kept_at_the_end"] == [[4, 40], 7.0]
    assert said["missing"] == []
    assert said["holds"]["ONES"] == [*range(1, 13)]
    assert said["holds"]["TWOS"] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6]
    assert said["holds"]["THREES"] == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]


def test_takes_are_swapped_in_place_and_never_overlap(said: Any) -> None:
    assert said["after_two"] == [["Shot 01", 1, 1, 49], ["Shot 02", 1, 49, 73]]
    assert said["old_take_stays_until_the_new_one_is_whole"]
    assert said["still_the_old_one"]
    spans, swapped, elements = said["longer"]
    assert swapped
    assert elements == 96, "the longer take is there as a whole"
    assert spans == [["Shot 01", 1, 1, 49], ["Shot 02", 1, 49, 73]], (
        "and shows as much as its neighbour leaves room for"
    )
    assert said["transform_kept"] == 7.0
    assert said["back_to_the_old_one"] == [[["Shot 01", 1, 1, 49], ["Shot 02", 1, 49, 73]], True]
    assert said["overlaps"] == said["overlaps_at_the_end"] == []
    assert said["takes_left"]
    assert said["files_stay"]
    assert said["twins"] == [True], "a strip that was duplicated follows its shot"


def test_a_copied_scene_goes_its_own_way(in_blender: Any) -> None:
    said = in_blender("copies.py")
    assert said["storyboards_differ"]
    assert said["shots_differ"]
    assert said["shared"] == [[True], []], "takes are shared, but for the one under way"
    assert said["same_take"]
    assert said["copy_untouched"], "a copy never receives a running job's frames"
    assert said["original_whole"]
    assert said["ties"] == [True, False]
    assert said["rename_changes_nothing"]


def test_takes_in_a_meta_strip_are_filled_swapped_and_removed_there(in_blender: Any) -> None:
    said = in_blender("metas.py")
    assert said["beside"] == said["still_alone"] == ["META"], "no second strip is laid beside it"
    assert said["inside"] == 1
    assert said["filled"] == 5
    assert said["swapped"]
    assert said["shorter"] == [1, 25]
    assert said["removed"] == [0, True]
