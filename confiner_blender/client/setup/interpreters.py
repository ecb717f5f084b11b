# SPDX-License-Identifier: GPL-3.0-or-later
"""The Pythons of this machine: what one is, and which one can carry a sidecar's environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...protocol.messages import Problem
from ..child_process import DETACHED, clean_environment
from ..errors import ClientError, Hop

OLDEST = (3, 11)
PREFERRED = ("3.12", "3.11", "3.13")
"""Versions for which the sidecar's packages have long had wheels, best first."""
LOOK = (
    "import sys, importlib.util as u; print(*sys.version_info[:3], int(bool(u.find_spec('ensurepip'))), sys.executable)"
)
PATIENCE = 20.0


@dataclass(frozen=True)
class Interpreter:
    """A Python: where it is, its version, and whether it can make environments with pip in them."""

    path: Path
    version: tuple[int, int, int]
    has_pip: bool


def look(command: Sequence[str]) -> Interpreter:
    """Run the Python that `command` starts and ask what it is.

    Raises:
        ClientError: it does not run, or is no Python.
    """
    remedy = "choose another Python in the add-on's preferences"
    try:
        done = subprocess.run(
            [*command, "-c", LOOK],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=clean_environment(),
            creationflags=DETACHED,
            check=True,
        )
        major, minor, micro, has_pip, path = done.stdout.strip().split(maxsplit=4)
        return Interpreter(Path(path), (int(major), int(minor), int(micro)), has_pip == "1")
    except OSError as error:
        message = f"{command[0]} cannot be run: {error.strerror or error}"
        raise ClientError(Hop.INTERPRETER, Problem("no-interpreter", message, remedy)) from error
    except subprocess.SubprocessError as error:
        message = f"{command[0]} does not run as a Python"
        tail = str(error.stderr or "") if isinstance(error, subprocess.CalledProcessError) else str(error)
        raise ClientError(Hop.INTERPRETER, Problem("no-interpreter", message, remedy), tail) from error
    except ValueError as error:
        raise ClientError(Hop.INTERPRETER, Problem("no-interpreter", f"{command[0]} is no Python", remedy)) from error


def describe(path: Path) -> str:
    """A Python that can run the sidecar, in words.

    Raises:
        ClientError: it does not run, or is too old.
    """
    found = look([str(path)])
    if found.version < OLDEST:
        message = f"{path} is Python {dotted(found.version)}, expected {dotted(OLDEST)} or newer"
        raise ClientError(Hop.INTERPRETER, Problem("old-interpreter", message, "choose a newer one in the preferences"))
    return f"Python {dotted(found.version)}"


def find_base(blender: Path | None) -> Interpreter:
    """The best Python to make the sidecar's environment with.

    `blender` is Blender's own, which is always there and is taken last: it goes when that Blender is removed.

    Raises:
        ClientError: none can; the problem says what to install.
    """
    seen = []
    for command in candidates(blender):
        try:
            found = look(command)
        except ClientError:
            continue  # most of these names exist on no machine
        if found.version >= OLDEST and found.has_pip:
            return found
        seen.append(f"{found.path} is {dotted(found.version)}{'' if found.has_pip else ' without ensurepip'}")
    message = f"no Python {dotted(OLDEST)} or newer that can make environments; seen: {'; '.join(seen) or 'none'}"
    remedy = "install Python 3.12 (on Debian and Ubuntu: sudo apt-get install python3 python3-venv), then try again"
    raise ClientError(Hop.INTERPRETER, Problem("no-python", message, remedy))


def candidates(blender: Path | None) -> Iterator[list[str]]:
    """Commands that may start a Python, best first."""
    for version in PREFERRED:
        yield ["py", f"-{version}"] if sys.platform == "win32" else [f"python{version}"]
    if os.name == "posix":
        yield ["python3"]
    yield ["python"]
    if blender is not None:
        yield [str(blender)]


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
