# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests find real Blender and the extension: `python3 dev.py test` says it through the environment.

A test that asks for one of these fixtures is skipped, with the reason, when pytest is started by hand without them.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # what the tests load lies in the tree or is made by them


@pytest.fixture(scope="session")
def blender_python() -> Path:
    """The Python of Blender's environment: bpy and what Blender bundles, never torch."""
    return _path_from("CONFINER_BLENDER_PYTHON")


@pytest.fixture(scope="session")
def extension_zip(blender_python: Path) -> Path:
    """The extension as a user gets it, built from this tree unless the environment names one."""
    if "CONFINER_EXTENSION_ZIP" in os.environ:
        return Path(os.environ["CONFINER_EXTENSION_ZIP"])
    command = [sys.executable, "-m", "confiner_blender.build", "--blender", blender_python]
    return Path(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())


@pytest.fixture(scope="session")
def sidecar_python() -> Path:
    """The Python that runs the sidecar: the one that runs the tests, unless the environment names another."""
    return Path(os.environ.get("CONFINER_SIDECAR_PYTHON", sys.executable))


@pytest.fixture(scope="session")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The published repositories, scaled down, in a folder like the hub's cache; written once for all tests."""
    from confiner_lab.published.layouts import fill_hub_cache

    cache = tmp_path_factory.mktemp("hub")
    fill_hub_cache(cache)
    return cache


def _path_from(variable: str) -> Path:
    if variable not in os.environ:
        pytest.skip(f"{variable} is not set: run `python3 dev.py test`, which sets it")
    return Path(os.environ[variable])
