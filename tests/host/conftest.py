# SPDX-License-Identifier: GPL-3.0-or-later
"""Drives real Blender: each test runs a script of `scripts/` in a process of its own, with the zip installed."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "scripts"
RESULT = "RESULT "
PATIENCE = 500
"""Seconds that one script may take; only a hang takes as long."""

Script = Callable[..., Any]


@pytest.fixture(scope="session")
def user_resources(blender_python: Path, extension_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's Blender folder with the extension installed from its zip."""
    folder = tmp_path_factory.mktemp("blender")
    said = run_script(blender_python, folder, folder, "install.py", zip=str(extension_zip))
    assert said["enabled"]
    return folder


@pytest.fixture(scope="session")
def sidecar_python(sidecar_python: Path) -> Path:
    """The sidecar's Python, which must have the sidecar installed: Blender starts it without this tree in its path."""
    asked = [sidecar_python, "-I", "-c", "import confiner_server"]
    if subprocess.run(asked, check=False, capture_output=True).returncode:
        pytest.fail(f"{sidecar_python} has no confiner_server: run `python3 dev.py test`, which installs it")
    return sidecar_python


@pytest.fixture
def in_blender(blender_python: Path, user_resources: Path, tmp_path: Path) -> Script:
    """Run a script of `scripts/` in Blender with keyword arguments; returns what it reports."""

    def run(script: str, **arguments: Any) -> Any:
        return run_script(blender_python, user_resources, tmp_path, script, **arguments)

    return run


def run_script(blender_python: Path, resources: Path, folder: Path, script: str, **arguments: Any) -> Any:
    process = start_script(blender_python, resources, folder, script, **arguments)
    try:
        output, errors = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, errors = process.communicate()
        raise AssertionError(f"{script} hung\n{output}\n{errors}") from None
    assert process.returncode == 0, f"{script} ended with {process.returncode}\n{output}\n{errors}"
    return json.loads(next(line for line in output.splitlines() if line.startswith(RESULT)).removeprefix(RESULT))


def start_script(
    blender_python: Path, resources: Path, folder: Path, script: str, **arguments: Any
) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    environment |= {
        "BLENDER_USER_RESOURCES": str(resources),
        "CONFINER_HOME": str(folder / "confiner"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [blender_python, SCRIPTS / script, json.dumps({"folder": str(folder), **arguments})],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=folder,
    )


@pytest.fixture
def start_in_blender(
    blender_python: Path, user_resources: Path, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a script and leave it running; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, **arguments: Any) -> subprocess.Popen[str]:
        started.append(start_script(blender_python, user_resources, tmp_path, script, **arguments))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()
