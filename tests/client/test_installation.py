# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the sidecar: a real environment, real pip, the wheel that lies in the extension; no package is fetched."""

from __future__ import annotations

import os
import sysconfig
import threading
import venv
import zipfile
from pathlib import Path

import pytest

from confiner_blender.client.background_task import Done, GaveUp
from confiner_blender.client.errors import ClientError, Hop, Stopped
from confiner_blender.client.session.connection_test import HopPassed, connection_test
from confiner_blender.client.setup import installation
from confiner_blender.client.setup.installation import Progress, install, installed, remove
from confiner_blender.client.sidecar_process.launcher import LaunchCommand

GOES_ON = threading.Event()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sidecar"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip fetches nothing, and installs the wheel though the tests' own environment, which is lent, may have it."""
    monkeypatch.setattr(installation, "NEEDED_BYTES", 10**8)
    for option in ("NO_INDEX", "NO_DEPS", "FORCE_REINSTALL"):
        monkeypatch.setenv(f"PIP_{option}", "1")


@pytest.fixture
def lending(offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """New environments are made as always, and borrow torch and the rest from the one that runs the tests."""
    make = installation.make_environment

    def make_and_lend(base: Path, environment: Path, stop: threading.Event) -> None:
        make(base, environment, stop)
        lend(environment)

    monkeypatch.setattr(installation, "make_environment", make_and_lend)


@pytest.fixture
def lending_pip_too(offline: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in a fraction of the time: most of it goes into a pip of the environment's own."""

    def make_and_lend(base: Path, environment: Path, stop: threading.Event) -> None:
        venv.create(environment, symlinks=os.name != "nt")
        lend(environment)

    monkeypatch.setattr(installation, "make_environment", make_and_lend)


def lend(environment: Path) -> None:
    (packages,) = [*environment.glob("lib/python3*/site-packages"), *environment.glob("Lib/site-packages")]
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")


def tiny_wheel(folder: Path, code: str) -> Path:
    """A wheel whose only module is a `confiner_cli` that runs `code`."""
    path = folder / "confiner_sidecar-0.0.1-py3-none-any.whl"
    info = "confiner_sidecar-0.0.1.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("confiner_cli/__init__.py", "")
        wheel.writestr("confiner_cli/__main__.py", code)
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: confiner-sidecar\nVersion: 0.0.1\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


DOCTOR = """
import json, pathlib, sys
fine = {fine}
finding = {{"name": "torch", "fine": fine, "needed": True, "seen": "not installed", "remedy": "install torch"}}
pathlib.Path(sys.argv[-1]).write_text(json.dumps({{"ok": fine, "findings": [finding]}}))
"""


def run(wheel: Path, folder: Path, stop: threading.Event = GOES_ON) -> list[Progress]:
    said: list[Progress] = []
    install(wheel, folder, True, None, said.append, stop)
    return said


def test_the_extensions_own_wheel_becomes_a_sidecar_that_answers(
    extension_zip: Path, tmp_path: Path, folder: Path, lending: None
) -> None:
    with zipfile.ZipFile(extension_zip) as extension:
        (name,) = [name for name in extension.namelist() if name.startswith("sidecar/") and name.endswith(".whl")]
        wheel = Path(extension.extract(name, tmp_path))
    task = installation.installation(wheel, folder, online=True, blender=None)
    task.start()
    steps = []
    while isinstance(message := task.inbox.get(timeout=300), Progress):
        steps.append(message.step)
    assert message == Done()
    assert sorted(set(steps)) == [1, 2, 3, 4]
    found = installed(folder)
    assert found is not None
    assert found.wheel == wheel.name
    test = connection_test(LaunchCommand(Path(found.interpreter), ("--grace", "1")))
    test.start()
    hops = []
    while isinstance(hop := test.inbox.get(timeout=60), HopPassed):
        hops.append(hop.hop)
    assert (hops, hop) == (list(Hop), Done())


def test_an_interrupted_installation_is_not_installed_and_goes_on_later(
    tmp_path: Path, folder: Path, lending_pip_too: None
) -> None:
    wheel = tiny_wheel(tmp_path, DOCTOR.format(fine=True))
    stop = threading.Event()

    def interrupt(progress: Progress) -> None:
        if progress.step == 3:
            stop.set()

    with pytest.raises(Stopped):
        install(wheel, folder, True, None, interrupt, stop)
    assert installed(folder) is None
    (environment,) = folder.iterdir()
    run(wheel, folder)
    found = installed(folder)
    assert found is not None
    assert Path(found.interpreter).is_relative_to(environment)


def test_a_sidecar_that_misses_something_is_not_installed_and_says_what(
    tmp_path: Path, folder: Path, lending_pip_too: None
) -> None:
    with pytest.raises(ClientError) as caught:
        run(tiny_wheel(tmp_path, DOCTOR.format(fine=False)), folder)
    assert caught.value.problem.code == "incomplete"
    assert "torch, not installed" in caught.value.problem.message
    assert caught.value.problem.remedy == "install torch"
    assert installed(folder) is None


def test_what_pip_cannot_do_is_shown_in_its_own_words(tmp_path: Path, folder: Path, lending_pip_too: None) -> None:
    wheel = tmp_path / "confiner_sidecar-0.0.1-py3-none-any.whl"
    wheel.write_bytes(b"no wheel at all")
    with pytest.raises(ClientError) as caught:
        run(wheel, folder)
    assert caught.value.problem.code == "install-failed"
    assert "wheel" in caught.value.log_tail.lower()


def test_what_was_installed_before_serves_until_the_new_one_is_whole_and_can_be_removed(
    tmp_path: Path, folder: Path, lending_pip_too: None
) -> None:
    run(tiny_wheel(tmp_path, DOCTOR.format(fine=True)), folder)
    first = installed(folder)
    with pytest.raises(ClientError):
        run(tiny_wheel(tmp_path, DOCTOR.format(fine=False)), folder)
    assert installed(folder) == first
    remove(folder)
    assert installed(folder) is None
    assert not folder.exists()
    remove(folder)


def test_nothing_is_fetched_without_leave(folder: Path, tmp_path: Path) -> None:
    task = installation.installation(tiny_wheel(tmp_path, ""), folder, online=False, blender=None)
    task.start()
    ended = task.inbox.get(timeout=10)
    assert isinstance(ended, GaveUp)
    assert ended.problem is not None
    assert ended.problem.code == "offline"
    assert "-m pip install" in ended.problem.remedy
    assert not folder.exists()


def test_a_disk_without_room_is_said_before_anything_is_fetched(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "NEEDED_BYTES", 10**18)
    with pytest.raises(ClientError, match="expected 1000000000 GB"):
        run(tiny_wheel(tmp_path, ""), folder)
    assert not folder.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"interpreter": 3, "wheel": "x"}', '{"interpreter": "/gone", "wheel": "x"}']
)
def test_a_record_that_names_no_interpreter_is_nothing_installed(folder: Path, text: str) -> None:
    folder.mkdir()
    (folder / installation.RECORD).write_text(text)
    assert installed(folder) is None
