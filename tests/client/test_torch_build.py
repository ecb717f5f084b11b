# SPDX-License-Identifier: GPL-3.0-or-later
"""Each machine gets the torch that it can use: machines are played by an nvidia-smi of ours, uv is the real one."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from confiner_blender.client.setup.packages import UV, uv_words
from confiner_blender.client.setup.pip_settings import for_uv
from confiner_blender.client.setup.torch_build import TorchBuild, torch_build
from confiner_blender.client.setup.unused_card import unused_card
from confiner_blender.protocol.cards import Card, nvidia_cards
from tests.simulated_card import GTX_1080_TI, RTX_4090, V100, path_with, write_nvidia_smi

OLD_DRIVER = "NVIDIA GeForce RTX 2080 Ti, 391.35, 7.5"
OLDER_DRIVER = "NVIDIA GeForce GTX 1080 Ti, 470.82.01, 6.1"
NEWEST = "NVIDIA GeForce RTX 5090, 580.65.06, 12.0"
KEPLER = "Tesla K80, 470.82.01, 3.7"
PLATFORMS = {"linux": "linux", "win32": "windows", "darwin": "macos"}

MACHINES = [  # system, cards, the build by name, the index of torch that uv then asks, part of the reason
    ("linux", (), "cpu", "cpu", "no NVIDIA card"),
    ("win32", (), "cpu", "cpu", "no NVIDIA card"),
    ("darwin", (), "", "", "macOS"),
    ("linux", (RTX_4090,), "auto", "cu129", "RTX 4090, capability 8.9, driver 560.35.03"),
    ("win32", (RTX_4090,), "auto", "cu129", "the CUDA that this driver can run"),
    ("linux", (NEWEST,), "auto", "cu132", "RTX 5090"),
    ("win32", (GTX_1080_TI,), "cu126", "cu126", "the last for such cards"),
    ("linux", (GTX_1080_TI,), "cu126", "cu126", "GTX 1080 Ti, capability 6.1"),
    ("linux", (V100,), "cu126", "cu126", "V100"),
    ("win32", (V100,), "cu126", "cu126", "V100"),
    ("linux", (OLDER_DRIVER,), "auto", "cu118", "470.82.01"),
    ("linux", (OLD_DRIVER,), "cpu", "cpu", "update the driver"),
    ("win32", (OLD_DRIVER,), "cpu", "cpu", "update the driver"),
    ("linux", (KEPLER,), "cpu", "cpu", "too old a card"),
    ("linux", (GTX_1080_TI, RTX_4090), "auto", "cu129", "RTX 4090"),
]


@pytest.fixture(scope="session")
def uv(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables with which `python -m uv` is the uv that installations fetch."""
    if importlib.util.find_spec("uv") is not None:
        return dict(os.environ)
    folder = tmp_path_factory.mktemp("uv")
    words = [sys.executable, "-m", "pip", "install", "--quiet", "--target", str(folder), UV]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("uv is not here, and cannot be fetched")
    return {**os.environ, "PYTHONPATH": str(folder)}


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def with_cards(*cards: str, **manner: object) -> list[Card]:
        monkeypatch.setenv("PATH", path_with(write_nvidia_smi(tmp_path / "driver", *cards, **manner)))
        return nvidia_cards()

    return with_cards


@pytest.mark.parametrize("played", MACHINES, ids=lambda played: f"{played[0]}, {'; '.join(played[1]) or 'no card'}")
def test_the_build_is_the_one_that_the_machine_can_use(machine, uv: dict[str, str], tmp_path: Path, played) -> None:
    system, cards, backend, index, reason = played
    build = torch_build(machine(*cards), system)
    assert build.backend == backend
    assert reason in build.reason
    if index:
        assert asked_index(build, system, uv, tmp_path) == index


def empty_environment(folder: Path) -> Path:
    """The Python of an environment with nothing in it."""
    venv.create(folder / "env", symlinks=True)
    return folder / "env" / "bin" / "python"


def asked_index(build: TorchBuild, system: str, uv: dict[str, str], folder: Path) -> str:
    """Which of torch's indexes the real uv asks when it is given our command line; nothing is fetched."""
    words = uv_words(empty_environment(folder), Path("torch"), build)
    assert words[1:3] == ["-m", "uv"]
    blocked = {f"{name}_PROXY": "http://127.0.0.1:9" for name in ("HTTP", "HTTPS", "ALL")}
    driver = {"UV_CUDA_DRIVER_VERSION": build.driver} if build.driver else {}
    told = {"UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(folder / "cache"), **blocked, **driver}
    words = [sys.executable, *words[1:], "--dry-run", "--python-platform", PLATFORMS[system]]
    done = subprocess.run(words, capture_output=True, text=True, env={**uv, **told}, check=False)
    (found,) = set(re.findall(r"/whl/([a-z0-9.]+)/", done.stderr))
    return found


def test_a_driver_that_does_not_work_is_no_card(machine) -> None:
    assert machine(status=9) == []
    assert torch_build([], "win32").backend == "cpu"


@pytest.mark.parametrize("said", ["No devices were found", "", "a, b", "NVIDIA GeForce RTX 4090, [N/A], [N/A]"])
def test_an_answer_that_tells_of_no_card_is_none(machine, said: str) -> None:
    assert machine(said) == []


def test_a_program_that_cannot_be_run_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = write_nvidia_smi(tmp_path) / "nvidia-smi"
    program.write_bytes(b"\x7fELF, but not really")
    monkeypatch.setenv("PATH", path_with(tmp_path))
    assert nvidia_cards() == []


def test_a_driver_that_does_not_know_the_capability_still_tells_the_card(machine) -> None:
    (card,) = machine(RTX_4090, knows_capability=False)
    assert card == Card("NVIDIA GeForce RTX 4090", "560.35.03", None)
    assert torch_build([card], "win32").backend == "auto"


def test_the_most_capable_card_comes_first(machine) -> None:
    assert [card.capability for card in machine(GTX_1080_TI, RTX_4090, V100)] == [(8, 9), (7, 0), (6, 1)]


def test_on_windows_the_program_is_found_outside_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_nvidia_smi(tmp_path / "System32", RTX_4090)
    (folder / "nvidia-smi").rename(folder / "nvidia-smi.exe")
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setattr("shutil.which", lambda _: None)
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    assert [card.name for card in nvidia_cards()] == ["NVIDIA GeForce RTX 4090"]


def test_what_pip_was_told_is_told_to_uv() -> None:
    listed = [
        "global.extra-index-url='file:///one/simple file:///two/simple'",
        "global.find-links='/wheels /more'",
        "global.index-url='https://everyone.example/simple'",
        "install.index-url='https://studio.example/simple'",
        ":env:.cert='/certificates.pem'",
        "download.find-links='/elsewhere'",
        "a warning of pip's",
    ]
    assert for_uv(listed, {"UV_FIND_LINKS": "/said"}) == {
        "UV_DEFAULT_INDEX": "https://studio.example/simple",
        "UV_INDEX": "file:///one/simple file:///two/simple",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "SSL_CERT_FILE": "/certificates.pem",
    }
    assert for_uv(listed, {})["UV_FIND_LINKS"] == "/wheels,/more"


# --- a card that is left unused


@pytest.fixture
def sidecar(tmp_path: Path):
    """A Python whose torch says of itself that it was built with that CUDA."""

    def with_torch(cuda: str) -> Path:
        python = empty_environment(tmp_path)
        (packages,) = (tmp_path / "env").glob("lib/python3*/site-packages")
        (packages / "torch").mkdir()
        (packages / "torch" / "__init__.py").write_text("raise AssertionError('it is only read')\n")
        text = f"from typing import Optional\n__version__ = '2.13.0'\ndebug = False\ncuda: Optional[str] = {cuda}\n"
        (packages / "torch" / "version.py").write_text(text)
        return python

    return with_torch


def test_a_card_beside_a_torch_without_cuda_is_said_with_the_remedy(machine, sidecar) -> None:
    machine(RTX_4090)
    problem = unused_card(sidecar("None"))
    assert problem is not None
    assert problem.message == (
        "there is an NVIDIA card (NVIDIA GeForce RTX 4090, driver 560.35.03), "
        "but this torch (2.13.0) was built without CUDA"
    )
    assert "install the sidecar again" in problem.remedy


def test_nothing_is_said_where_nothing_is_wrong(machine, sidecar, tmp_path: Path) -> None:
    python = sidecar("None")
    assert machine() == []
    assert unused_card(python) is None, "no card"
    machine(RTX_4090)
    assert unused_card(tmp_path / "nowhere") is None, "no Python"
    version = next((tmp_path / "env").rglob("version.py"))
    version.write_text(version.read_text().replace("= None", "= '12.9'"))
    assert unused_card(python) is None, "a torch with CUDA"
    version.unlink()
    assert unused_card(python) is None, "no torch"
