# SPDX-License-Identifier: GPL-3.0-or-later
"""Installing the sidecar: a real environment, real pip, the wheel that lies in the extension; no package is fetched."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
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
from confiner_blender.client.setup.packages import UV
from confiner_blender.client.sidecar_process.launcher import LaunchCommand
from tests.simulated_card import GTX_1080_TI, RTX_4090, path_with, write_nvidia_smi

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


def tiny_wheel(folder: Path, code: str, needs: str = "") -> Path:
    """A wheel whose only module is a `confiner_cli` that runs `code`."""
    modules = {"confiner_cli/__init__.py": "", "confiner_cli/__main__.py": code}
    return write_wheel(folder, "confiner_sidecar", "0.0.1", modules, needs)


def write_wheel(folder: Path, name: str, version: str, modules: dict[str, str], needs: str = "") -> Path:
    path = folder / f"{name}-{version}-py3-none-any.whl"
    metadata = f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: {version}\n"
    metadata += f"Requires-Dist: {needs}\n" if needs else ""
    wheel_file = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    files = {
        **modules,
        **{
            f"{name}-{version}.dist-info/{file}": text
            for file, text in {"METADATA": metadata, "WHEEL": wheel_file}.items()
        },
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{name}-{version}.dist-info/RECORD"))
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in {**files, f"{name}-{version}.dist-info/RECORD": record}.items():
            wheel.writestr(file, text)
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


@pytest.fixture(scope="session")
def uv_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uv that an installation fetches, in a folder."""
    folder = tmp_path_factory.mktemp("uv")
    words = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), UV]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("uv cannot be fetched here")
    return next(folder.iterdir())


@pytest.fixture
def shelf(uv_wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of wheels that pip was told of; every line to the world is cut."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    shutil.copy(uv_wheel, folder)
    index = tmp_path / "index"
    index.mkdir()
    told = {"PIP_FIND_LINKS": folder, "PIP_INDEX_URL": index.as_uri(), "PIP_CONFIG_FILE": os.devnull}
    for name, value in (told | {"UV_HTTP_RETRIES": 0, "UV_NO_CONFIG": 1}).items():
        monkeypatch.setenv(name, str(value))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(installation, "NEEDED_BYTES", 10**8)
    monkeypatch.setattr(installation, "CUDA_BYTES", 10**8)
    return folder


@pytest.mark.parametrize(("card", "index"), [("", "cpu"), (RTX_4090, "cu129"), (GTX_1080_TI, "cu126")])
def test_uv_is_asked_for_the_torch_of_the_machine_then_pips_own_places(
    shelf: Path, tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, card: str, index: str
) -> None:
    driver = write_nvidia_smi(tmp_path / "driver", *filter(None, [card]))
    monkeypatch.setenv("PATH", path_with(driver))
    write_wheel(shelf, "torch", "2.13.0+local", {"torch/__init__.py": ""})
    wheel = tiny_wheel(tmp_path, DOCTOR.format(fine=True), needs="torch>=2.6")
    lines = [progress.line for progress in run(wheel, folder)]
    assert any(f"/whl/{index}/torch/" in line for line in lines), "\n".join(lines)
    assert any("torch==2.13.0+local" in line for line in lines), "\n".join(lines)
    found = installed(folder)
    assert found is not None
    assert next(Path(found.interpreter).parents[1].rglob("torch-2.13.0+local.dist-info")).is_dir()
    assert sorted(path.name for path in folder.iterdir()) == [Path(found.interpreter).parents[1].name, "installed.json"]


def test_with_another_card_it_is_another_environment(
    tmp_path: Path, folder: Path, lending_pip_too: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that runs is not changed under a sidecar's feet."""
    monkeypatch.setattr(installation, "CUDA_BYTES", 10**8)
    wheel = tiny_wheel(tmp_path, DOCTOR.format(fine=True))
    run(wheel, folder)
    first = installed(folder)
    monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "driver", RTX_4090)))
    run(wheel, folder)
    second = installed(folder)
    assert first is not None
    assert second is not None
    assert first.interpreter != second.interpreter
    assert Path(first.interpreter).exists()


def test_room_for_the_cards_libraries_is_asked_for(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installation, "NEEDED_BYTES", 10**18)
    monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "driver", RTX_4090)))
    with pytest.raises(ClientError, match="expected 1000000006 GB"):
        run(tiny_wheel(tmp_path, ""), folder)


@pytest.mark.slow
def test_the_whole_sidecar_is_installed_as_a_user_does(extension_zip: Path, tmp_path: Path, folder: Path) -> None:
    """Everything is fetched, with uv, from wherever this machine's pip is told to look."""
    with zipfile.ZipFile(extension_zip) as extension:
        (name,) = [name for name in extension.namelist() if name.startswith("sidecar/") and name.endswith(".whl")]
        wheel = Path(extension.extract(name, tmp_path))
    lines = [progress.line for progress in run(wheel, folder)]
    assert any(line.strip().startswith("+ torch==") for line in lines)
    assert installed(folder) is not None


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
