# SPDX-License-Identifier: GPL-3.0-or-later
"""dev.py does its work once, notices when it was interrupted or moved, and says what is missing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import dev

Once = Callable[..., Path]
SIZE = (0, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "environment"


@pytest.fixture
def once(folder: Path) -> Once:
    """Makes a real environment, writes a line into `fillings` beside it, and runs further commands."""

    def once(wanted: str, *commands: tuple[object, ...]) -> Path:
        note = f"open({str(folder.with_name('fillings'))!r}, 'a').write('{wanted}\\n')"
        made = (sys.executable, "-m", "venv", "--without-pip", folder)
        return dev.once(folder, SIZE, wanted, made, (sys.executable, "-c", note), *commands)

    return once


def fillings(folder: Path) -> list[str]:
    return folder.with_name("fillings").read_text().split()


def test_what_is_there_is_not_filled_again(folder: Path, once: Once) -> None:
    for _ in range(3):
        assert once("torch") == dev.python_in(folder)
    assert fillings(folder) == ["torch"]


def test_other_wishes_make_it_anew(folder: Path, once: Once) -> None:
    once("torch")
    (folder / "leftover").touch()
    once("numpy")
    assert fillings(folder) == ["torch", "numpy"]
    assert not (folder / "leftover").exists()


def test_a_half_made_environment_is_made_anew(folder: Path, once: Once) -> None:
    with pytest.raises(SystemExit, match="started again, it goes on"):
        once("torch", (sys.executable, "-c", "raise SystemExit(1)"))
    once("torch")
    assert fillings(folder) == ["torch", "torch"]


def test_an_environment_whose_python_is_gone_is_made_anew(folder: Path, once: Once) -> None:
    once("torch").unlink()
    once("torch")
    assert fillings(folder) == ["torch", "torch"]


def test_a_moved_environment_is_made_anew(folder: Path, once: Once, tmp_path: Path) -> None:
    once("torch")
    moved = folder.rename(tmp_path / "elsewhere")
    dev.once(moved, SIZE, "torch", (sys.executable, "-m", "venv", "--without-pip", moved))
    assert str(moved) in (moved / "whole").read_text()
    assert str(folder) not in (moved / "whole").read_text()


def test_of_two_at_once_one_fills_and_the_other_waits(
    folder: Path, once: Once, capfd: pytest.CaptureFixture[str]
) -> None:
    threads = [threading.Thread(target=once, args=("torch",)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert fillings(folder) == ["torch"]
    assert "waiting for it" in capfd.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="there, a lock is its process's alone")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_goes_on_without_the_lock(folder: Path, number: signal.Signals) -> None:
    """Ended politely, dev.py ends what it started; killed, what goes on keeps the lock."""
    sleeper = "import time; print('started', flush=True); time.sleep(3); print('slept', flush=True)"
    fill = f"dev.once(Path({str(folder)!r}), (0, 1), 'torch', (sys.executable, '-c', {sleeper!r}))"
    listen = "dev.main.__globals__['environment'] = lambda *_: " + fill
    code = f"import sys; from pathlib import Path; import dev; {listen}; dev.main('demo')"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=dev.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "started\n"
    process.send_signal(number)
    process.wait(30)
    with folder.with_name(f"{folder.name}.lock").open("a") as file:
        dev.hold(file.fileno())
    rest, errors = process.communicate(timeout=30)
    assert "Traceback" not in errors
    assert rest == ("slept\n" if number == signal.SIGKILL else "")
    assert ("started again, it goes on" in errors) == (number != signal.SIGKILL)


def test_too_little_room_is_said_before_anything_is_fetched(folder: Path) -> None:
    with pytest.raises(SystemExit, match="too little is free"):
        dev.once(folder, (0, 10**9), "torch", (sys.executable, "-c", "raise AssertionError"))
    assert not folder.exists()


def test_missing_libraries_become_debians_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "LIBRARIES", "nowhere.so.9 nowhere11.so.6 c.so.6")
    monkeypatch.setattr(sys, "platform", "linux")
    assert [name for name in dev.missing_packages() if "nowhere" in name] == ["libnowhere9", "libnowhere11-6"]


def test_uv_is_told_where_pip_looks(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another Python's pip stands in for the one beside uv: it reads the same configuration."""
    configuration = tmp_path / "pip.conf"
    configuration.write_text("[global]\nindex-url = https://packages.example/simple\nfind-links = /from/file\n")
    monkeypatch.setattr(dev, "uv", lambda: Path(sys.executable).with_name("uv"))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(configuration))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_FIND_LINKS", "/from/environment /and/another")
    told = dev.sources()
    assert told["UV_DEFAULT_INDEX"] == "https://packages.example/simple"
    assert told["UV_FIND_LINKS"] == "/from/environment,/and/another"
    assert "UV_TORCH_BACKEND" not in told


def test_an_unknown_command_is_named_and_answered_with_the_commands() -> None:
    done = subprocess.run([sys.executable, dev.__file__, "tset"], capture_output=True, text=True)
    assert done.returncode != 0
    assert "no command 'tset'" in done.stderr
    assert "python3 dev.py test" in done.stderr
