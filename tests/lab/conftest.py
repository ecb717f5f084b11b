# SPDX-License-Identifier: GPL-3.0-or-later
"""A training of a few steps, made once for all tests that need one."""

import subprocess
import sys
from pathlib import Path

import pytest

SERVER = Path(__file__).parents[2] / "server"
STEPS = 3


def tiny_training(out: Path, *arguments: str) -> list[str]:
    """The command line of a tiny training in `out`."""
    line = [sys.executable, "-m", "confiner_lab.training", "--tiny", "--out", str(out), "--steps", str(STEPS)]
    return [*line, *arguments]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained")
    subprocess.run(tiny_training(out, "--export", str(out / "experts")), cwd=SERVER, check=True, capture_output=True)
    return out
