# SPDX-License-Identifier: GPL-3.0-or-later
"""Consoles and files as they are on Windows: code pages that lack characters, byte order marks, backslashes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def chains(path: Path, **environment: str) -> subprocess.CompletedProcess[bytes]:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "server")])
    command = [sys.executable, "-m", "confiner_cli", "chains", "--chains", path]
    return subprocess.run(
        command, check=False, capture_output=True, env={**os.environ, "PYTHONPATH": paths, **environment}
    )


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "cp932", "ascii"])
def test_no_command_dies_of_a_character(tmp_path, encoding):
    path = tmp_path / "mine.toml"
    path.write_text('[mine]\nlike = "bundled"\ntitle = "水彩 → Aquarell ☂"\n', encoding="utf-8")
    done = chains(path, PYTHONIOENCODING=encoding)
    assert done.returncode == 0, done.stderr
    assert b"Aquarell" in done.stdout


@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16"])
def test_what_an_editor_on_windows_saves_is_read_or_refused_in_a_sentence(tmp_path: Path, written: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes('[mine]\r\nlike = "bundled"\r\ntitle = "Mine"\r\n'.encode(written))
    done = chains(path)
    if written == "utf-8-sig":
        assert done.returncode == 0, done.stderr
        assert b"mine" in done.stdout
    else:
        assert done.returncode == 2
        assert b"save the file as UTF-8" in done.stderr


@pytest.mark.parametrize("source", [r"C:\Users\me\model.safetensors", r"C:\models\a", r"\\studio\share\x"])
def test_backslashes_in_a_path_are_told_with_their_line(tmp_path: Path, source: str) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f'[mine]\nlike = "confiner-s/modelscope"\n\n[mine.spatial]\nsource = "{source}"\n')
    done = chains(path)
    said: Any = done.stderr.decode()
    assert done.returncode == 2
    assert "line 5" in said
    assert "backslash" in said
