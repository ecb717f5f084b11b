# SPDX-License-Identifier: GPL-3.0-or-later
"""The seed experts' repositories in a folder like the hub's cache: published names and layout, small random weights."""

from pathlib import Path

import pytest
from confiner_lab.published import read_repository
from confiner_lab.published.layouts import COMMIT, fill_hub_cache


@pytest.fixture(scope="session")
def hub_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All four repositories, written once."""
    cache = tmp_path_factory.mktemp("hub")
    fill_hub_cache(cache)
    return cache


@pytest.fixture(scope="session")
def snapshots(hub_cache: Path) -> dict[str, Path]:
    """Where each repository's files are, by the name of its description."""
    names = ("stable_diffusion", "animatediff_lightning", "modelscope", "lavie")
    owners = {name: read_repository(name).repository.replace("/", "--") for name in names}
    return {name: hub_cache / f"models--{owner}" / "snapshots" / COMMIT for name, owner in owners.items()}
