# SPDX-License-Identifier: GPL-3.0-or-later
"""The `confiner` program as a user runs it: a process of its own, with a home of its own."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Confiner = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def confiner(sidecar_python: Path, tmp_path_factory: pytest.TempPathFactory) -> Confiner:
    """Runs `confiner` with the given words, and more environment by name, and returns the finished process."""
    home = tmp_path_factory.mktemp("home")
    paths = os.pathsep.join([str(ROOT), str(ROOT / "server")])
    environment = {**os.environ, "PYTHONPATH": paths, "CONFINER_HOME": str(home), "OMP_NUM_THREADS": "1"}

    def run(*words: object, **more: str) -> subprocess.CompletedProcess[str]:
        command = [str(sidecar_python), "-m", "confiner_cli", *map(str, words)]
        own = environment | more
        return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=own, cwd=home)

    return run
