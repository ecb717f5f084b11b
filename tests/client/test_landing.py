# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes land whole: real files, real hashes, a disk that is really full."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from confiner_blender.client.session import take_writer
from confiner_blender.client.whole_file import NotStored
from tests.client.sidecar_double import contents, frame_done, png


def test_frames_are_numbered_from_one_and_keep_their_names(tmp_path: Path) -> None:
    folder = tmp_path / "shot" / "take"
    paths = [take_writer.store_frame(folder, frame_done(9 - frame, frame), png(frame)) for frame in (1, 0, 41)]
    assert [path.name for path in paths] == ["frame_0002.png", "frame_0001.png", "frame_0042.png"]
    assert paths[2].read_bytes() == png(41)


def test_a_frame_that_is_not_the_one_announced_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotStored, match="frame 0 arrived damaged") as caught:
        take_writer.store_frame(tmp_path, frame_done(1, 0), png(0)[:-1])
    assert caught.value.again
    assert contents(tmp_path) == []


def test_a_frame_that_lies_there_already_is_not_written_again(tmp_path: Path) -> None:
    path = take_writer.store_frame(tmp_path, frame_done(1, 0), png(0))
    os.utime(path, (1, 1))
    take_writer.store_frame(tmp_path, frame_done(1, 0), png(0))
    assert path.stat().st_mtime == 1


def test_a_damaged_file_of_an_earlier_session_is_made_good(tmp_path: Path) -> None:
    (tmp_path / "frame_0001.png").write_bytes(png(0)[:100])
    assert take_writer.store_frame(tmp_path, frame_done(1, 0), png(0)).read_bytes() == png(0)


def test_the_record_comes_last_and_clears_away_what_served_the_making(tmp_path: Path) -> None:
    take_writer.store_preview(tmp_path, png(7))
    take_writer.store_frame(tmp_path, frame_done(1, 0), png(0))
    (tmp_path / ".frame_0002.png.part").write_bytes(b"of a process that was killed")
    path = take_writer.store_take(tmp_path, {"prompt": "ein Würfel", "seed": 7})
    assert contents(tmp_path) == ["frame_0001.png", "take.json"]
    assert json.loads(path.read_text(encoding="utf-8")) == {"prompt": "ein Würfel", "seed": 7}


def test_missing_frames_are_known_by_number(tmp_path: Path) -> None:
    for frame in (0, 2):
        take_writer.store_frame(tmp_path, frame_done(frame + 1, frame), png(frame))
    assert take_writer.missing_frames(tmp_path, 4) == [1, 3]


def test_a_folder_that_cannot_be_made_is_a_problem_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "take").write_text("a file where the folder should be")
    with pytest.raises(NotStored) as caught:
        take_writer.store_frame(tmp_path / "take", frame_done(1, 0), png(0))
    assert caught.value.problem.code == "folder"
    assert "resume the shot" in caught.value.problem.remedy
    assert not caught.value.again


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_says_so_and_leaves_no_part(tmp_path: Path) -> None:
    (tmp_path / ".frame_0001.png.part").symlink_to("/dev/full")
    with pytest.raises(NotStored) as caught:
        take_writer.store_frame(tmp_path, frame_done(1, 0), png(0))
    assert caught.value.problem.code == "disk-full"
    assert "free some space" in caught.value.problem.remedy
    assert contents(tmp_path) == []


def test_whoever_is_killed_while_writing_leaves_no_half_frame(tmp_path: Path) -> None:
    """The process ends at the moment before the rename, when all bytes but the name are there."""
    code = f"""
import os, pathlib
from confiner_blender.client import whole_file
pathlib.Path.replace = lambda self, target: os._exit(9)
whole_file.write(pathlib.Path({str(tmp_path / "frame_0001.png")!r}), b"x" * 100000)
"""
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert done.returncode == 9
    assert not (tmp_path / "frame_0001.png").exists()
    assert take_writer.store_frame(tmp_path, frame_done(1, 0), png(0)).read_bytes() == png(0)
    take_writer.store_take(tmp_path, {})
    assert contents(tmp_path) == ["frame_0001.png", "take.json"]
