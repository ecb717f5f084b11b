# SPDX-License-Identifier: GPL-3.0-or-later
"""A release is made on a copy of the tree: version and date written, zip and wheel built, committed and tagged."""

from __future__ import annotations

import datetime
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from .test_workflows import copy_tree

ROOT = Path(__file__).resolve().parent.parent
UNRELEASED = "# Changelog\n\n## 0.2.0 – unreleased\n\n- **Something new.**\n\n## 0.1.0 – 2026-01-01\n\nThe first.\n"
WHO = {f"GIT_{role}_{what}": "tester" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A repository of its own with this tree's files at version 0.1.0, and a remote that must hear of nothing."""
    folder = tmp_path / "tree"
    copy_tree(folder)
    (folder / "CHANGELOG.md").write_text(UNRELEASED, encoding="utf-8")
    for name, before, after in (
        ("confiner_blender/__init__.py", r'(?m)^__version__ = ".*"$', '__version__ = "0.1.0"'),
        ("blender_manifest.toml", r'(?m)^version = ".*"$', 'version = "0.1.0"'),
    ):
        text, count = re.subn(before, after, (folder / name).read_text(encoding="utf-8"))
        assert count == 1
        (folder / name).write_text(text, encoding="utf-8")
    git(tmp_path, "init", "--quiet", "--bare", "remote.git")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    commit(folder)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "core.hooksPath=/dev/null", *arguments]
    environment = {**os.environ, **WHO}
    return subprocess.run(
        command, cwd=folder, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "The tree")


def release(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "tools/release.py", *arguments]
    return subprocess.run(command, cwd=tree, env={**os.environ, **WHO, **environment}, capture_output=True, text=True)


def test_a_dry_run_says_everything_and_does_nothing(tree: Path) -> None:
    before = git(tree, "rev-parse", "HEAD")
    done = release(tree, "0.2.0", "--dry-run")
    assert done.returncode == 0, done.stderr
    for wanted in (
        "__init__.py",
        "blender_manifest.toml",
        "CHANGELOG.md",
        "dist/0.2.0",
        "commit",
        "tag v0.2.0",
        "push",
    ):
        assert wanted in done.stdout
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree, "tag") == ""
    assert git(tree, "rev-parse", "HEAD") == before
    assert not (tree / "dist").exists()


@pytest.mark.parametrize(
    ("arguments", "changelog", "said"),
    [
        (["zwei"], UNRELEASED, "no version: name one such as 0.2.0"),
        (["0.0.9"], UNRELEASED.replace("0.2.0", "0.0.9"), "choose a higher one"),
        (["0.3.0"], UNRELEASED, "under “## 0.3.0 – unreleased”"),
        (["0.2.0"], UNRELEASED.replace("unreleased", "2026-02-02"), "under “## 0.2.0 – unreleased”"),
        (["0.2.0"], UNRELEASED.replace("- **Something new.**\n", ""), "says nothing of 0.2.0"),
        (["0.2.0"], "# Changelog\n", "begins with no version"),
        (["0.2.0", "--build"], UNRELEASED, "check out the tag v0.2.0"),
    ],
)
def test_what_cannot_be_released_is_refused_with_a_sentence(
    tree: Path, arguments: list[str], changelog: str, said: str
) -> None:
    (tree / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    commit(tree) if git(tree, "status", "--porcelain") else None
    done = release(tree, *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert git(tree, "status", "--porcelain") == ""


def test_changes_that_are_not_committed_and_a_tag_that_is_there_are_refused(tree: Path) -> None:
    (tree / "README.md").write_text("half a thought")
    assert "not committed" in release(tree, "0.2.0").stderr
    git(tree, "checkout", "--quiet", "README.md")
    git(tree, "tag", "v0.2.0")
    assert "a tag v0.2.0 already" in release(tree, "0.2.0").stderr


def test_a_build_that_fails_leaves_the_files_as_they_were(tree: Path) -> None:
    done = release(tree, "0.2.0", CONFINER_SIDECAR_PYTHON=sys.executable, CONFINER_BLENDER_PYTHON="/nowhere/python")
    assert done.returncode == 1
    assert "the files are as they were" in done.stderr
    assert git(tree, "status", "--porcelain", "--untracked-files=no") == ""
    assert git(tree, "tag") == ""


def test_a_release_is_built_dated_committed_and_tagged(tree: Path, blender_python: Path, sidecar_python: Path) -> None:
    if (ROOT / "dist" / "wheels").exists():  # what the build would fetch
        shutil.copytree(ROOT / "dist" / "wheels", tree / "dist" / "wheels")
    pythons = {"CONFINER_SIDECAR_PYTHON": str(sidecar_python), "CONFINER_BLENDER_PYTHON": str(blender_python)}
    done = release(tree, "0.2.0", **pythons, PYTHONPATH=f"{tree}{os.pathsep}{tree / 'server'}")
    assert done.returncode == 0, done.stderr
    assert f"## 0.2.0 – {datetime.date.today().isoformat()}\n" in git(tree, "show", "v0.2.0:CHANGELOG.md")
    assert "0.1.0 – 2026-01-01" in git(tree, "show", "v0.2.0:CHANGELOG.md")
    assert git(tree, "cat-file", "-t", "v0.2.0") == "tag"
    assert git(tree, "rev-parse", "v0.2.0^{commit}") == git(tree, "rev-parse", "HEAD")
    assert git(tree, "log", "-1", "--format=%s") == "Release 0.2.0"
    assert git(tree, "status", "--porcelain") == ""
    assert git(tree.parent / "remote.git", "for-each-ref") == ""
    made = {path.name: path for path in (tree / "dist" / "0.2.0").iterdir()}
    assert set(made) == {"confiner-0.2.0.zip", "confiner_sidecar-0.2.0-py3-none-any.whl", "SHA256SUMS"}
    with zipfile.ZipFile(made["confiner_sidecar-0.2.0-py3-none-any.whl"]) as wheel:
        assert b'__version__ = "0.2.0"' in wheel.read("confiner_blender/__init__.py")
    for line in made["SHA256SUMS"].read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256(made[name].read_bytes()).hexdigest() == digest
