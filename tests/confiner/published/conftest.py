# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed experts' repositories in a folder like the hub's cache: published names and layout, small random weights."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from confiner.chains import ChainSpec, read_chains
from confiner.loading.module_cache import ModuleCache
from confiner.loading.pickled import convert
from confiner_lab.published import read_repository
from confiner_lab.published.layouts import COMMIT

from tests.hub_server import Hub, folders_of, serving

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def snapshots(hub_cache: Path) -> dict[str, Path]:
    """Where each repository's files are, by the name of its description."""
    names = ("stable_diffusion", "animatediff_lightning", "modelscope", "lavie", "taesd")
    owners = {name: read_repository(name).repository.replace("/", "--") for name in names}
    return {name: hub_cache / f"models--{owner}" / "snapshots" / COMMIT for name, owner in owners.items()}


@pytest.fixture(scope="module")
def chains(hub_cache: Path, snapshots: dict[str, Path]) -> Iterator[dict[str, ChainSpec]]:
    """The built-in chains of the paper, at a size that a test can afford; their names find the files in `hub_cache`."""
    convert(snapshots["lavie"] / "lavie_base.pt")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_CACHE", str(hub_cache))
        built_in = read_chains()
        yield {name: replace(built_in[name], sizes=((64, 64),)) for name in built_in if name.startswith("confiner-s/")}


@pytest.fixture(scope="session")
def cache() -> ModuleCache:
    """What the chains share, as in a sidecar that runs one after the other."""
    return ModuleCache(torch.device("cpu"), torch.float32)


@pytest.fixture
def hub(hub_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that has the published repositories, and an empty cache."""
    hub = Hub(folders_of(hub_cache))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)  # as no other test may leave the machine
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with serving(hub) as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        yield hub


@pytest.fixture
def start(hub: Hub, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts `confiner fetch` in a process of its own."""
    started = []

    def start(*words: str, **environment: str) -> subprocess.Popen[str]:
        paths = os.pathsep.join([str(ROOT), str(ROOT / "server")])
        own = {"PYTHONPATH": paths, "CONFINER_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "confiner_cli", "fetch", *words],
            env={**os.environ, **own, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
