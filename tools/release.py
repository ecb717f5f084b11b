#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes a release on this machine, and pushes nothing.

    python3 tools/release.py 0.2.0 --dry-run   say what would be done
    python3 tools/release.py 0.2.0             version and date written, zip and wheel built, committed, tagged v0.2.0
    python3 tools/release.py 0.2.0 --build     only zip and wheel, from a tree that says it is 0.2.0 already

Zip, wheel and their checksums come to dist/0.2.0. The build is dev.py's; with CONFINER_SIDECAR_PYTHON and
CONFINER_BLENDER_PYTHON set, as the tests have them, their environments are used and nothing is fetched.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION_FILES = {
    "confiner_blender/__init__.py": r'(?m)^__version__ = "(.*)"$',
    "blender_manifest.toml": r'(?m)^version = "(.*)"$',
}
CHANGELOG = "CHANGELOG.md"


class Refused(Exception):
    """A release that cannot be made now, with what to do about it."""


def main() -> None:
    parser = argparse.ArgumentParser(description="make a release on this machine; nothing is pushed")
    parser.add_argument("version", help="such as 0.2.0")
    parser.add_argument("--dry-run", action="store_true", help="check, and say what would be done")
    parser.add_argument("--build", action="store_true", help="only build, from a tree that has this version")
    arguments = parser.parse_args()
    try:
        release(arguments.version, dry_run=arguments.dry_run, build_only=arguments.build)
    except Refused as refused:
        sys.exit(f"release.py: {refused}")


def release(version: str, *, dry_run: bool, build_only: bool) -> None:
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise Refused(f"{version!r} is no version: name one such as 0.2.0")
    if build_only:
        if versions() != {version}:
            raise Refused(f"the tree says {', '.join(sorted(versions()))}: check out the tag v{version}")
        steps: list[tuple[str, Callable[[], object]]] = [(f"build into dist/{version}", lambda: build(version))]
    else:
        changed = edits(version, datetime.date.today())
        check_tree(version)
        steps = [
            *((f"write {name}", lambda name=name: write(name, changed[name])) for name in changed),
            (f"build into dist/{version}", lambda: build(version)),
            (f"commit “Release {version}”", lambda: git("commit", "--quiet", "-am", f"Release {version}")),
            (f"tag v{version}", lambda: git("tag", "--annotate", f"v{version}", "-m", f"Release {version}")),
        ]
    do(steps, dry_run=dry_run)
    if not build_only:
        print(f"{'then' if dry_run else 'now'} push it yourself: git push origin HEAD v{version}")


def do(steps: list[tuple[str, Callable[[], object]]], *, dry_run: bool) -> None:
    """Every step, or what it is. After a failure the tracked files are as they were."""
    for says, step in steps:
        print(f"would {says}" if dry_run else says, flush=True)
        if dry_run:
            continue
        try:
            step()
        except (OSError, subprocess.CalledProcessError, KeyboardInterrupt) as error:
            if len(steps) > 1:
                git("reset", "--quiet", "HEAD")
                git("checkout", "--quiet", "--", *VERSION_FILES, CHANGELOG)
            raise Refused(f"could not {says} ({error}); the files are as they were: mend it and start again") from error


def check_tree(version: str) -> None:
    if git("status", "--porcelain", "--untracked-files=no"):
        raise Refused("there are changes that are not committed: commit them, or take them back")
    if git("tag", "--list", f"v{version}"):
        raise Refused(f"there is a tag v{version} already: choose a higher version")
    newest = max(map(numbers, versions()))
    if numbers(version) < newest:
        raise Refused(f"{version} is lower than {'.'.join(map(str, newest))}, which the tree says: choose a higher one")


def edits(version: str, today: datetime.date) -> dict[str, str]:
    """The files that a release changes, with their new text."""
    changed = {}
    for name, pattern in VERSION_FILES.items():
        text = read(name)
        found = re.search(pattern, text)
        if found is None:
            raise Refused(f"{name} says no version: it should have a line like {pattern}")
        changed[name] = text[: found.start(1)] + version + text[found.end(1) :]
    changed[CHANGELOG] = dated(read(CHANGELOG), version, today)
    return {name: text for name, text in changed.items() if text != read(name)}


def dated(changelog: str, version: str, today: datetime.date) -> str:
    """The changelog with a date behind its newest version, which must be this one and still unreleased."""
    heading = re.search(r"(?m)^## (\S+) – (.+)$", changelog)
    if heading is None or heading[1] != version or heading[2] != "unreleased":
        seen = f"“{heading[0]}”" if heading else "no version"
        raise Refused(f"the changelog begins with {seen}: write what is new under “## {version} – unreleased”")
    after = changelog[heading.end() :].split("\n## ")[0].strip()
    if not after:
        raise Refused(f"the changelog says nothing of {version}: write what is new for users")
    return changelog[: heading.start(2)] + today.isoformat() + changelog[heading.end(2) :]


def build(version: str) -> None:
    """Zip, the wheel that lies in it, and their checksums, in a folder of their own."""
    sidecar, blender = (os.environ.get(f"CONFINER_{name}_PYTHON") for name in ("SIDECAR", "BLENDER"))
    if sidecar and blender:
        command = [sidecar, "-m", "confiner_blender.build", "--blender", blender, "--out", "dist"]
    else:
        command = [sys.executable, "dev.py", "extension"]
    said = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = ROOT / said.strip().splitlines()[-1]
    folder = ROOT / "dist" / version
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    files = [Path(shutil.copy(built, folder))]
    with zipfile.ZipFile(built) as extension:
        (wheel,) = (name for name in extension.namelist() if name.startswith("sidecar/") and name.endswith(".whl"))
        files.append(folder / Path(wheel).name)
        files[-1].write_bytes(extension.read(wheel))
    sums = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums), encoding="utf-8")
    for file in files:
        print(f"  {file.relative_to(ROOT)}")


def versions() -> set[str]:
    """What the tree says that it is; more than one if its files disagree."""
    return {found for name, pattern in VERSION_FILES.items() for found in re.findall(pattern, read(name))}


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def write(name: str, text: str) -> None:
    (ROOT / name).write_text(text, encoding="utf-8", newline="\n")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


if __name__ == "__main__":
    main()
