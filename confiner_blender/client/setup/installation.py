# SPDX-License-Identifier: GPL-3.0-or-later
"""The sidecar's own environment, built in the user's folder from the wheel that lies in the extension.

    <folder>/confiner_sidecar-0.1.0-1a2b3c4d/     an environment; its name tells the wheel and the torch it is of
    <folder>/installed.json                       which of them is whole

An environment cannot be moved (its programs name their own place), so it is built where it will stay. Staged it is as
long as `installed.json` does not name it; that record is written last, beside its place, and renamed into it. An
interrupted installation goes on where it was: what was put there stays. Nothing outside `<folder>` is touched.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ...protocol.cards import nvidia_cards
from ...protocol.messages import Problem
from .. import whole_file
from ..background_task import Task
from ..errors import ClientError, Hop
from ..programs import failed, run, spoken
from ..wheel import install_command
from .interpreters import dotted, find_base
from .packages import install_packages
from .torch_build import TorchBuild, torch_build

RECORD = "installed.json"
NEEDED_BYTES = 3 * 10**9
"""Room for the environment and what is unpacked on the way."""
CUDA_BYTES = 6 * 10**9
"""What a torch with CUDA takes more: it brings the card's libraries."""


@dataclass(frozen=True)
class Progress:
    """What the installation does now: its step of `STEPS`, counted from 1, and the last line that was said."""

    step: int
    line: str


STEPS = ("find a Python", "make the environment", "fetch and install the packages", "check them")

Post = Callable[[Progress], None]


@dataclass(frozen=True)
class Installed:
    """A whole environment: its interpreter, and the file name of the wheel it was built from."""

    interpreter: str
    wheel: str


def installed(folder: Path) -> Installed | None:
    """What is installed in `folder`; None if nothing whole is."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        found = Installed(record["interpreter"], record["wheel"])
        return found if Path(found.interpreter).exists() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def installation(wheel: Path, folder: Path, *, online: bool, blender: Path | None) -> Task[Progress]:
    """A task that installs `wheel` into `folder` and reports Progress, then Done, or GaveUp with what to do.

    `online` is whether the user lets Blender reach out; `blender` is Blender's own Python, the last resort.
    """
    return Task("confiner-installation", lambda post, stop: install(wheel, folder, online, blender, post, stop))


def install(wheel: Path, folder: Path, online: bool, blender: Path | None, post: Post, stop: threading.Event) -> None:
    """Build, check and record the environment.

    Raises:
        ClientError: it cannot be built; what was done so far is kept for the next try.
        Stopped: `stop` was set.
    """
    build = torch_build(nvidia_cards())
    environment = folder / f"{'-'.join(wheel.stem.split('-')[:2])}-{_digest(wheel, build)}"
    interpreter = environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    before = Path(there.interpreter).parents[1].name if (there := installed(folder)) else ""
    _check_online(online, interpreter)
    _check_disk(folder, NEEDED_BYTES + CUDA_BYTES * build.with_cuda)
    post(Progress(1, "looking for a Python"))
    base = find_base(blender)
    post(Progress(2, f"Python {dotted(base.version)} at {base.path}"))
    make_environment(base.path, environment, stop)
    post(Progress(3, build.reason))
    install_packages(interpreter, wheel, build, lambda line: post(Progress(3, line)), stop)
    post(Progress(4, "starting the sidecar's own check"))
    _check(interpreter, environment / "doctor.json", stop)
    record = json.dumps(asdict(Installed(str(interpreter), wheel.name)))
    try:
        whole_file.write(folder / RECORD, record.encode())
    except whole_file.NotStored as error:
        raise ClientError(Hop.INTERPRETER, error.problem) from error
    _remove_all_but({environment.name, before}, folder)


def remove(folder: Path) -> None:
    """Take everything away that was installed into `folder`.

    Raises:
        ClientError: something is in use. It counts as not installed all the same.
    """
    try:
        (folder / RECORD).unlink(missing_ok=True)
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        message = f"{error.filename} cannot be removed: {error.strerror}"
        remedy = "end the sidecar, then remove it again"
        raise ClientError(Hop.INTERPRETER, Problem("in-use", message, remedy)) from error


def make_environment(base: Path, environment: Path, stop: threading.Event) -> None:
    """An environment with pip, made or, if an earlier try left one half made, mended."""
    run([str(base), "-m", "venv", str(environment)], lambda line: None, stop)


def _check_online(online: bool, interpreter: Path) -> None:
    if not online:
        message = "the packages have to be fetched, and Blender is set to stay offline"
        remedy = f"allow online access in Blender's system preferences, or type: {install_command(interpreter)}"
        raise ClientError(Hop.INTERPRETER, Problem("offline", message, remedy))


def _check_disk(folder: Path, needed: int) -> None:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    if free < needed:
        message = f"{free / 1e9:.1f} GB free at {there}, expected {needed / 1e9:.0f} GB"
        raise ClientError(
            Hop.INTERPRETER, Problem("disk-full", message, "free some space on that disk, then try again")
        )


def _check(interpreter: Path, report: Path, stop: threading.Event) -> None:
    """The new sidecar examines itself; nothing that it needs may be missing."""
    words = [str(interpreter), "-m", "confiner_cli", "doctor", "--json", str(report)]
    status, lines = spoken(words, lambda line: None, stop)
    try:
        findings = json.loads(report.read_text(encoding="utf-8"))["findings"]
        missing = [finding for finding in findings if finding["fine"] is False and finding["needed"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise failed(words, status, lines) from error
    if missing:
        message = f"the sidecar was installed and misses something: {missing[0]['name']}, {missing[0]['seen']}"
        raise ClientError(Hop.INTERPRETER, Problem("incomplete", message, missing[0]["remedy"]), "\n".join(lines))


def _remove_all_but(kept: set[str], folder: Path) -> None:
    """Older environments go, but for the last one: a sidecar may still run from it, and loads modules as it goes."""
    for path in folder.iterdir():
        if path.is_dir() and path.name not in kept:
            shutil.rmtree(path, ignore_errors=True)


def _digest(wheel: Path, build: TorchBuild) -> str:
    """Of what the environment is made of: with another torch it is another one, built beside the one that runs."""
    return hashlib.sha256(wheel.read_bytes() + build.backend.encode()).hexdigest()[:8]
