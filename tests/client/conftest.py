# SPDX-License-Identifier: GPL-3.0-or-later
"""A home of its own for every test, so that no sidecar of the user's is disturbed, and no thread left behind."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from confiner_blender.protocol import rendezvous


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that holds everything a sidecar keeps."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv(rendezvous.HOME_VARIABLE, str(home))
    rendezvous.runtime_folder().mkdir(parents=True)
    return home


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread not in before]
    for thread in left:
        thread.join(5)
    assert not [thread.name for thread in left if thread.is_alive()]
