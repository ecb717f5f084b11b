# SPDX-License-Identifier: GPL-3.0-or-later
"""Which Python can carry the sidecar's environment: real ones, and programs that only claim to be."""

import os
import sys
from pathlib import Path

import pytest

from confiner_blender.client.errors import ClientError
from confiner_blender.client.setup import interpreters
from confiner_blender.client.setup.interpreters import describe, find_base, look

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are shell scripts")


def claim(folder: Path, name: str, answer: str) -> Path:
    """A program that answers as a Python of that kind would."""
    path = folder / name
    path.write_text(f'#!/bin/sh\necho "{answer} $0"\n')
    path.chmod(0o755)
    return path


def test_a_real_python_is_what_it_is() -> None:
    found = look([sys.executable])
    assert found.version == sys.version_info[:3]
    assert found.path == Path(sys.executable)
    assert describe(Path(sys.executable)).startswith("Python 3.")


def test_an_old_python_is_refused_with_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match=r"is Python 3\.9\.2, expected 3\.11 or newer"):
        describe(claim(tmp_path, "python", "3 9 2 1"))


def test_the_best_python_wins_and_blenders_own_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(interpreters, "candidates", lambda blender: [["python3.12"], ["python3.11"], [str(blender)]])
    blender = claim(tmp_path, "blender", "3 11 0 1")
    assert find_base(blender).path == blender
    better = claim(tmp_path, "python3.11", "3 11 9 1")
    assert find_base(blender).path == better
    claim(tmp_path, "python3.12", "3 12 1 0")
    assert find_base(blender).path == better, "3.12 cannot make environments here"


def test_a_machine_without_any_is_told_what_to_install_and_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim(tmp_path, "python3", "3 9 2 1")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(interpreters, "candidates", lambda blender: [["python3.12"], [str(tmp_path / "python3")]])
    with pytest.raises(ClientError) as caught:
        find_base(None)
    assert "is 3.9.2" in caught.value.problem.message
    assert "apt-get install" in caught.value.problem.remedy
