# SPDX-License-Identifier: GPL-3.0-or-later
"""dev.py does its work once, notices when it was interrupted, and says what is missing in one line to paste."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import dev

Install = Callable[[], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "environment"


@pytest.fixture
def installs(folder: Path) -> list[bool]:
    """One entry for each installation: whether something stood there already."""
    return []


@pytest.fixture
def install(folder: Path, installs: list[bool]) -> Install:
    def install() -> None:
        installs.append(folder.exists())
        dev.interpreter(folder).parent.mkdir(parents=True, exist_ok=True)
        dev.interpreter(folder).touch()

    return install


def test_what_is_installed_is_not_installed_again(folder: Path, install: Install, installs: list[bool]) -> None:
    for _ in range(3):
        assert dev.once(folder, ["torch"], install) == dev.interpreter(folder)
    assert installs == [False]


def test_other_wishes_are_installed_into_the_same_environment(
    folder: Path, install: Install, installs: list[bool]
) -> None:
    dev.once(folder, ["torch"], install)
    dev.once(folder, ["torch", "numpy"], install)
    assert installs == [False, True]


def test_a_half_made_environment_is_made_from_nothing(folder: Path, install: Install, installs: list[bool]) -> None:
    def interrupted() -> None:
        install()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        dev.once(folder, ["torch"], interrupted)
    (folder / "leftover").touch()
    dev.once(folder, ["torch"], install)
    assert installs == [False, False]
    assert not (folder / "leftover").exists()


def test_an_environment_whose_python_is_gone_is_made_from_nothing(
    folder: Path, install: Install, installs: list[bool]
) -> None:
    dev.once(folder, ["torch"], install)
    dev.interpreter(folder).unlink()
    dev.once(folder, ["torch"], install)
    assert installs == [False, False]


def test_of_two_that_set_up_at_once_one_installs_and_the_other_waits(
    folder: Path, install: Install, installs: list[bool], capsys: pytest.CaptureFixture[str]
) -> None:
    second = threading.Thread(target=dev.once, args=(folder, ["torch"], install))

    def slowly() -> None:
        second.start()
        while "another dev.py" not in capsys.readouterr().err:
            assert second.is_alive(), "it did not wait"
        install()

    dev.once(folder, ["torch"], slowly)
    second.join(10)
    assert installs == [False]


def test_missing_libraries_become_one_line_to_paste(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "BLENDER_LIBRARIES", {"libnowhere.so.9": "libnowhere9", "libc.so.6": "libc6"})
    monkeypatch.setattr(sys, "platform", "linux")
    missing = dev.missing_packages(sys.executable)
    assert missing == ["libnowhere9"]
    assert dev.apt_line(missing).endswith("apt-get install -y --no-install-recommends libnowhere9")


def test_a_python_without_pip_and_ensurepip_wants_debians_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "has_module", lambda python, module: False)
    assert "python3-venv" in dev.missing_packages(sys.executable)


def test_the_python_found_carries_a_blender() -> None:
    python = dev.find_python()
    assert python is not None
    assert dev.python_version(python) in dev.BLENDER_FOR_PYTHON


def test_an_unknown_command_is_answered_with_the_commands() -> None:
    done = subprocess.run([sys.executable, dev.__file__, "tset"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "python3 dev.py test" in done.stderr
