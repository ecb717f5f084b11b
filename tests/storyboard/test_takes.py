# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes on disk: their folders, their records, the jobs that make them, and whose they are."""

import json
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from confiner_blender.protocol import messages
from confiner_blender.storyboard import identity, take_folders, take_record
from confiner_blender.storyboard.identity import Bearer
from confiner_blender.storyboard.job_ledger import ARRIVED, UNDER_WAY, Entry, Ledger
from confiner_blender.storyboard.shot_request import shot_request
from confiner_blender.storyboard.shot_values import Stretch

from .test_remarks import SHOT

ENTRY = Entry("t1", "s1", "/film.blend", "/film_confiner/t1", 48, 8.0, "RATE", 24.0, 16, 64, 64)


def test_a_take_stands_beside_its_blend() -> None:
    home = take_folders.home_of(Path("/films/demo.blend"))
    folder = take_folders.take_folder(home, "1a2b3c4d-0000", "5e6f7a8b-0000")
    assert folder == Path("/films/demo_confiner/shot_1a2b3c4d/take_5e6f7a8b")


def test_copying_a_take_keeps_what_is_there(tmp_path: Path) -> None:
    source, target = tmp_path / "a", tmp_path / "b"
    source.mkdir()
    (source / "frame_0001.png").write_bytes(b"one")
    (source / ".frame_0002.png.part").write_bytes(b"half")
    assert take_folders.copy_take(source, target)
    (target / "frame_0001.png").write_bytes(b"kept")
    assert take_folders.copy_take(source, target)
    assert [path.name for path in target.iterdir()] == ["frame_0001.png"]
    assert (target / "frame_0001.png").read_bytes() == b"kept"
    assert not take_folders.copy_take(tmp_path / "nothing", target)


def test_a_record_tells_what_has_changed_since(tmp_path: Path) -> None:
    (tmp_path / take_record.REQUEST).write_text(take_record.request_text(shot_request(SHOT), ENTRY))
    settings = take_record.settings_of(tmp_path)
    assert settings is not None
    assert take_record.changed_since(SHOT, settings) == []
    changed = replace(SHOT, prompt="a blue cube", width=112, height=48, timing=replace(SHOT.timing, length=24))
    assert take_record.changed_since(changed, settings) == ["prompt", "length", "size"]


def test_later_prompts_are_counted_in_frames_of_the_clip(tmp_path: Path) -> None:
    shot = replace(SHOT, stretches=(Stretch(36, "a cone "), Stretch(25, "a ball")), crossover=13)
    request = shot_request(shot)
    assert request.stretches == [messages.Stretch(8, "a ball"), messages.Stretch(12, "a cone")]
    assert request.crossover == 4
    (tmp_path / take_record.REQUEST).write_text(take_record.request_text(request, ENTRY))
    assert take_record.request_of(tmp_path) == request
    assert take_record.entry_of(tmp_path) == ENTRY
    settings = take_record.settings_of(tmp_path)
    assert settings is not None
    assert take_record.changed_since(shot, settings) == []
    assert take_record.changed_since(replace(shot, crossover=24), settings) == ["cross-over"]
    assert take_record.changed_since(replace(shot, stretches=shot.stretches[:1]), settings) == ["later prompts"]


def test_a_take_of_one_prompt_says_nothing_of_later_ones(tmp_path: Path) -> None:
    asked = json.loads(take_record.request_text(shot_request(SHOT), ENTRY))["request"]
    made = {name: value for name, value in asked.items() if name not in ("stretches", "crossover")}
    assert take_record.changed_since(SHOT, made) == []
    several = replace(SHOT, stretches=(Stretch(24, "a cone"),), crossover=24)
    assert take_record.changed_since(several, made) == ["later prompts"]


def test_a_part_is_what_lies_there_without_a_gap(tmp_path: Path) -> None:
    assert take_record.part_of(tmp_path, frozenset({0})) is None
    (tmp_path / take_record.PART).write_text(json.dumps({"request": {"num_frames": 9}, "frames": ["a", "b", "c"]}))
    assert take_record.part_of(tmp_path, frozenset()) is None
    assert take_record.part_of(tmp_path, frozenset({0, 2})) == {
        "request": {"num_frames": 9},
        "frames": ["a"],
        "kept": 1,
    }
    part = take_record.part_of(tmp_path, frozenset({0, 1, 2, 3}))
    assert part is not None
    assert part["kept"] == 3
    (tmp_path / take_record.RECORD).write_text(json.dumps(part))
    settings = take_record.settings_of(tmp_path)
    assert settings is not None
    assert settings["num_frames"] == settings["kept"] == 3


def test_a_part_is_compared_by_the_prompts_that_it_shows() -> None:
    shot = replace(SHOT, timing=replace(SHOT.timing, length=24), stretches=(Stretch(9, "a cone"),), crossover=24)
    later = [{"start": 3, "prompt": "a cone"}, {"start": 12, "prompt": "a ball"}]
    settings = {"num_frames": 8, "stretches": later, "crossover": 8}
    assert take_record.changed_since(shot, settings) == []
    assert take_record.changed_since(replace(shot, stretches=()), settings) == ["later prompts"]


def test_the_librarys_record_is_asked_first(tmp_path: Path) -> None:
    (tmp_path / take_record.REQUEST).write_text(json.dumps({"request": {"prompt": "old"}}))
    (tmp_path / take_record.RECORD).write_text(json.dumps({"request": {"prompt": "new"}, "chain": {"name": "small"}}))
    assert take_record.settings_of(tmp_path) == {"prompt": "new", "chain": "small"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"request": 3}'])
def test_a_damaged_record_is_no_record(tmp_path: Path, text: str) -> None:
    (tmp_path / take_record.RECORD).write_text(text)
    assert take_record.settings_of(tmp_path) is None


def test_the_ledger_remembers_jobs_until_they_are_struck(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "jobs")
    assert ledger.entries() == []
    ledger.write(ENTRY)
    ledger.write(replace(ENTRY, take="t2"))
    ledger.write(replace(ENTRY, blend="/other.blend"))
    (tmp_path / "jobs" / "x.json").write_text("{")
    assert [(entry.take, entry.blend) for entry in Ledger(tmp_path / "jobs").entries()] == [
        ("t1", "/other.blend"),
        ("t2", "/film.blend"),
    ]
    ledger.strike("t1")
    ledger.strike("t1")
    assert [entry.take for entry in ledger.entries()] == ["t2"]


def test_the_ledger_writes_to_the_disk_and_keeps_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def watched(handle: int) -> None:
        synced.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "file")
        real(handle)

    monkeypatch.setattr(os, "fsync", watched)
    ledger = Ledger(tmp_path)
    ledger.write(replace(ENTRY, take="a", since=2.0, standing=ARRIVED))
    assert synced == ["file", "folder"]
    ledger.write(replace(ENTRY, take="b", since=1.0))
    assert [(entry.take, entry.standing) for entry in ledger.entries()] == [("b", UNDER_WAY), ("a", ARRIVED)]
    ledger.strike("a")
    assert synced[-1] == "folder"


def test_an_entry_of_an_older_version_is_a_job_under_way(tmp_path: Path) -> None:
    values = {name: value for name, value in asdict(ENTRY).items() if name not in ("name", "since", "standing")}
    (tmp_path / "t1.json").write_text(json.dumps(values))
    assert Ledger(tmp_path).entries() == [ENTRY]
    assert ENTRY.standing == UNDER_WAY


def test_a_note_of_an_older_version_does_not_tell_its_take(tmp_path: Path) -> None:
    (tmp_path / take_record.REQUEST).write_text('{"request": {"prompt": "old"}}')
    assert take_record.entry_of(tmp_path) is None


def test_of_two_scenes_with_one_storyboard_the_one_that_does_not_own_it_is_the_copy() -> None:
    assert identity.copies([Bearer("Scene", "a", "Scene"), Bearer("Scene.001", "a", "Scene")]) == ["Scene.001"]
    assert identity.copies([Bearer("A copy", "a", "Scene"), Bearer("Scene", "a", "Scene")]) == ["A copy"]
    assert identity.copies([Bearer("Renamed", "a", "Scene"), Bearer("Other", "b", "Other")]) == []
    assert identity.copies([Bearer("One", "a", "Gone"), Bearer("Two", "a", "Gone")]) == ["Two"]
