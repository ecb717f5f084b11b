# SPDX-License-Identifier: GPL-3.0-or-later
"""What the program keeps in the user's own folders is closed to others, whichever command came first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from confiner_blender.protocol.messages import Finished
from confiner_blender.protocol.version import PROTOCOL_VERSION

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes and links")

CONFINER = [sys.executable, "-m", "confiner_cli"]
SOMEBODY = 54321
NAMES = {
    "log": "run/sidecar.log",
    "lock": f"run/sidecar-p{PROTOCOL_VERSION}.running",
    "connection file": f"run/sidecar-p{PROTOCOL_VERSION}.json",
    "journal": f"data/journal-p{PROTOCOL_VERSION}.sqlite3",
}


def confiner(sidecar, *words, umask=0o022):
    return subprocess.run(
        [*CONFINER, *words], env=sidecar.environment, capture_output=True, text=True, umask=umask, timeout=60
    )


def open_to_others(*tops: Path) -> list[Path]:
    everything = [path for top in tops for path in (top, *top.rglob("*"))]
    assert len(everything) > 1
    return [path for path in everything if path.lstat().st_mode & 0o077]


@pytest.fixture
def at_home(sidecar, tmp_path):
    """The sidecar in a home of its own, with the folders that the desktop's rules name; nothing is there yet."""
    del sidecar.environment["CONFINER_HOME"]
    data, runtime = tmp_path / "home" / ".local" / "share", tmp_path / "runtime"
    sidecar.environment |= {"HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(runtime)}
    sidecar.environment.pop("XDG_DATA_HOME", None)
    return sidecar, data, runtime


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_fetch_as_the_first_command_leaves_nothing_open(at_home, umask):
    sidecar, data, _ = at_home
    done = confiner(sidecar, "fetch", "bundled", "--accept-licence", umask=umask)
    assert done.returncode == 0, done.stderr
    assert open_to_others(data / "confiner") == []
    assert data.stat().st_mode & 0o077 == 0, "folders that were made on the way are private too"


@pytest.mark.parametrize("umask", [0o022, 0o000])
def test_nothing_of_a_job_is_open_to_others(sidecar, shot, umask):
    before = os.umask(umask)
    try:
        sidecar.start()
    finally:
        os.umask(before)
    with sidecar.client() as client:
        assert isinstance(client.outcome(client.submit(shot())), Finished)
        assert open_to_others(sidecar.home) == []


def test_what_an_earlier_release_left_open_is_closed_at_the_next_start(sidecar, shot):
    process = sidecar.start()
    with sidecar.client() as client:
        job_id = client.submit(shot())
        client.outcome(job_id)
    process.terminate()
    process.wait()
    mine = sidecar.home / "data" / f"jobs-p{PROTOCOL_VERSION}" / "mine"
    mine.mkdir()
    for path in (sidecar.home, *sidecar.home.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    sidecar.start()
    assert open_to_others(sidecar.home / "run", sidecar.home / "data") == [mine], "what is the user's stays as it is"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["link", "dangling link", "hard link", "folder"])
def test_what_is_no_file_of_its_own_is_refused_and_not_written_to(sidecar, tmp_path, name, kind):
    target = tmp_path / "letter.txt"
    if kind != "dangling link":
        target.write_text("a letter")
        target.chmod(0o644)
    place = sidecar.home / NAMES[name]
    place.parent.mkdir(parents=True)
    if kind == "hard link":
        place.hardlink_to(target)
    elif kind == "folder":
        place.mkdir()
    else:
        place.symlink_to(target)
    done = confiner(sidecar, "serve", "--grace", "0")
    assert done.returncode == 2
    assert str(place) in done.stderr
    assert "→" in done.stderr
    assert "Traceback" not in done.stderr
    assert target.exists() == (kind != "dangling link")
    if target.exists():
        assert (target.read_text(), target.stat().st_mode & 0o777) == ("a letter", 0o644)


@pytest.mark.parametrize("folder", ["run", "data"])
def test_a_folder_that_is_a_link_is_refused(sidecar, tmp_path, folder):
    (tmp_path / "docs").mkdir(mode=0o755)
    (tmp_path / "docs").chmod(0o755)
    sidecar.home.mkdir()
    (sidecar.home / folder).symlink_to(tmp_path / "docs")
    done = confiner(sidecar, "serve", "--grace", "0")
    assert done.returncode == 2
    assert f"{sidecar.home / folder} is a link" in done.stderr
    assert "CONFINER_HOME" in done.stderr
    assert list((tmp_path / "docs").iterdir()) == []
    assert (tmp_path / "docs").stat().st_mode & 0o777 == 0o755


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("place", ["run", "data", *NAMES.values()])
def test_what_belongs_to_another_user_is_refused(sidecar, place):
    path = sidecar.home / place
    if "." in path.name:
        path.parent.mkdir(parents=True)
        path.touch()
    else:
        path.mkdir(parents=True)
    os.chown(path, SOMEBODY, SOMEBODY)
    done = confiner(sidecar, "serve", "--grace", "0")
    assert done.returncode == 2
    assert f"{path} belongs to the user {SOMEBODY}" in done.stderr
    assert "chown" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
def test_fetch_refuses_another_users_folder_too(sidecar):
    (sidecar.home / "data").mkdir(parents=True)
    os.chown(sidecar.home / "data", SOMEBODY, SOMEBODY)
    done = confiner(sidecar, "fetch", "bundled", "--accept-licence")
    assert done.returncode == 2
    assert "belongs to the user" in done.stderr


def test_a_journal_of_another_program_is_left_as_it_is(sidecar):
    import sqlite3

    journal = sidecar.home / NAMES["journal"]
    journal.parent.mkdir(parents=True)
    with sqlite3.connect(journal) as notes:
        notes.execute("CREATE TABLE notes (text)")
    notes.close()
    done = confiner(sidecar, "serve", "--grace", "0")
    assert done.returncode == 2
    assert "another program's" in done.stderr
    with sqlite3.connect(journal) as notes:
        assert notes.execute("SELECT name FROM sqlite_master").fetchall() == [("notes",)]
    notes.close()
