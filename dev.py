#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the two environments this project needs, once, and hands over to ordinary tools.

    python3 dev.py demo       a storyboard in real Blender becomes clips on the timeline (--out DIR; default demo-out)
    python3 dev.py test       the tests; further arguments go to pytest
    python3 dev.py check      format, lint and types, then the tests (--static: without the tests)
    python3 dev.py extension  build the extension's zip and print its path
    python3 dev.py train      train the bundled experts; further arguments go to confiner_lab.training

`.venv` is the sidecar's environment: torch, diffusers, this package (editable), the tools. `.blender/<version>` is
Blender's: its Python module and what that brings along, nothing else. The two are never mixed.
Standard library only, and readable by any Python 3.9, so that a wrong one gets a sentence.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable, NoReturn

ROOT = Path(__file__).resolve().parent
SIDECAR = ROOT / ".venv"
CONSTRAINTS = ROOT / "server" / "constraints.txt"

# Blender's Python module wants one exact Python. In order of preference.
BLENDER_FOR_PYTHON = {"3.11": "4.5", "3.13": "5.2"}

# Shared libraries that Blender loads, and the Debian packages that hold them. Without libEGL a render ends the process.
BLENDER_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libX11.so.6": "libx11-6",
    "libXrender.so.1": "libxrender1",
    "libXfixes.so.3": "libxfixes3",
    "libXi.so.6": "libxi6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libSM.so.6": "libsm6",
    "libICE.so.6": "libice6",
    "libXext.so.6": "libxext6",
}


def main(arguments: list[str]) -> NoReturn:
    commands = {"demo": demo, "test": test, "check": check, "extension": extension, "train": train}
    if not arguments or arguments[0] not in commands:
        sys.exit(__doc__)
    commands[arguments[0]](arguments[1:])


def demo(arguments: list[str]) -> NoReturn:
    sidecar, blender = environments()
    zip_file = build_extension(sidecar, blender)
    program = [sidecar, ROOT / "tests" / "host" / "demo.py", "--out", ROOT / "demo-out"]
    hand_over([*program, "--blender", blender, "--extension", zip_file, "--sidecar", sidecar, *arguments])


def test(arguments: list[str]) -> NoReturn:
    sidecar, blender = environments()
    os.chdir(ROOT)
    hand_over(
        [sidecar, "-m", "pytest", *arguments],
        CONFINER_SIDECAR_PYTHON=str(sidecar),
        CONFINER_BLENDER_PYTHON=str(blender),
        CONFINER_EXTENSION_ZIP=build_extension(sidecar, blender),
    )


def check(arguments: list[str]) -> NoReturn:
    static_only = arguments == ["--static"]
    sidecar = sidecar_environment(usable_python())
    unhappy = []
    for tool in ("ruff format --check", "ruff check", "mypy"):
        say(tool)
        if subprocess.run([str(sidecar), "-m", *tool.split()], cwd=ROOT, env=clean_environment()).returncode:
            unhappy.append(tool)
    if unhappy:
        sys.exit(f"to mend, see above: {', '.join(unhappy)}")
    if static_only:
        sys.exit(0)
    test(arguments)


def extension(arguments: list[str]) -> NoReturn:
    if arguments:
        sys.exit(f"dev.py extension takes no arguments, but got {' '.join(arguments)}")
    print(build_extension(*environments()))
    sys.exit(0)


def train(arguments: list[str]) -> NoReturn:
    hand_over([sidecar_environment(usable_python()), "-m", "confiner_lab.training", *arguments])


# The two environments


def environments() -> tuple[Path, Path]:
    """The sidecar's and Blender's Python, made where they are missing."""
    python = usable_python()
    sidecar = sidecar_environment(python)
    return sidecar, blender_environment(python, sidecar)


def sidecar_environment(python: str) -> Path:
    wanted = [CONSTRAINTS.read_text(), (ROOT / "pyproject.toml").read_text(), python_version(python)]

    def install() -> None:
        say(f"setting up the sidecar's environment in {SIDECAR.name}: torch, diffusers and the tools, some minutes")
        if not interpreter(SIDECAR).exists():
            make_environment_with_pip(python, SIDECAR)
        pip(interpreter(SIDECAR), "install", "--constraint", CONSTRAINTS, "--editable", ".[dev]")

    return once(SIDECAR, wanted, install)


def blender_environment(python: str, sidecar: Path) -> Path:
    version = BLENDER_FOR_PYTHON[python_version(python)]
    folder = ROOT / ".blender" / version

    def install() -> None:
        say(f"setting up Blender {version} in {folder.relative_to(ROOT)}: about 400 MB")
        run([python, "-m", "venv", "--without-pip", folder])
        pip(sidecar, "--python", interpreter(folder), "install", "--only-binary", ":all:", f"bpy=={version}.*")

    return once(folder, [version, python_version(python)], install)


def once(folder: Path, wanted: list[str], install: Callable[[], None]) -> Path:
    """The interpreter in `folder`, after `install()` where what is `wanted` there has not been installed yet.

    Environments cannot be renamed, so the stamp is what makes one whole: it is taken away first and written last.
    Of two commands that start at once, one installs and the other waits.
    """
    stamp = folder / "whole"
    digest = hashlib.sha256("\0".join(wanted).encode()).hexdigest()
    with alone(folder.with_name(f"{folder.name}.lock")):
        whole = stamp.exists() and interpreter(folder).exists()
        if whole and stamp.read_text() == digest:
            return interpreter(folder)
        if not whole:
            shutil.rmtree(folder, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        install()
        stamp.write_text(digest)
    return interpreter(folder)


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold the lock on a file for the block. The system frees it however its holder ends; the file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        if not locked(file.fileno()):
            say("another dev.py is setting up here: waiting for it")
            while not locked(file.fileno()):
                time.sleep(0.2)
        yield


def locked(file: int) -> bool:
    """Whether the lock on an open file is held by this process now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def make_environment_with_pip(python: str, folder: Path) -> None:
    """Debian keeps ensurepip in a package of its own; where that is missing, the Python's own pip can fill in."""
    if has_module(python, "ensurepip"):
        run([python, "-m", "venv", folder])
    else:
        run([python, "-m", "venv", "--without-pip", folder])
        pip(python, "--python", interpreter(folder), "install", "pip")


def interpreter(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build_extension(sidecar: Path, blender: Path) -> str:
    """The path of the extension's zip, built again only where its sources have changed."""
    command = [str(sidecar), "-m", "confiner_blender.build", "--blender", str(blender), "--out", "dist"]
    built = subprocess.run(command, cwd=ROOT, env=clean_environment(), stdout=subprocess.PIPE, text=True)
    if built.returncode:
        sys.exit("the extension could not be built: see above")
    return built.stdout.strip()


# What the machine has


def usable_python() -> str:
    """A Python that carries a Blender, with all that this machine lacks named in one line to paste."""
    python = find_python()
    missing = missing_packages(python)
    if missing:
        sys.exit(
            f"Blender or Python need packages that are missing here. On Debian or Ubuntu, paste:\n{apt_line(missing)}"
        )
    if python is None:
        wanted = " or ".join(f"{python} (for Blender {blender})" for python, blender in BLENDER_FOR_PYTHON.items())
        sys.exit(
            f"found Python {sys.version.split()[0]}, but Blender's module wants exactly Python {wanted}: install one"
        )
    return python


def find_python() -> str | None:
    """The running Python if a Blender fits it, else one from PATH, from pyenv, or from Windows' launcher."""
    candidates = [sys.executable]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in BLENDER_FOR_PYTHON:
        candidates += [f"python{version}", *sorted(map(str, pyenv.glob(f"{version}.*/bin/python")), reverse=True)]
        if os.name == "nt":
            candidates.append(answer(["py", f"-{version}", "-c", "import sys; print(sys.executable)"]))
    for candidate in candidates:
        if python_version(candidate) in BLENDER_FOR_PYTHON:
            return candidate
    return None


def missing_packages(python: str | None) -> list[str]:
    """Debian's names of what Blender, or making an environment with `python`, needs and this machine does not have."""
    missing = []
    if python and not has_module(python, "ensurepip") and not has_module(python, "pip"):
        missing.append("python3-venv")
    if sys.platform == "linux":
        missing += [package for library, package in BLENDER_LIBRARIES.items() if not loads(library)]
    return missing


def apt_line(packages: list[str]) -> str:
    sudo = "" if os.name == "posix" and os.geteuid() == 0 else "sudo "
    return f"{sudo}apt-get update && {sudo}apt-get install -y --no-install-recommends {' '.join(packages)}"


def loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_module(python: str, module: str) -> bool:
    if python == sys.executable:
        return importlib.util.find_spec(module) is not None
    return answer([python, "-c", f"import importlib.util as u; print(u.find_spec('{module}') is not None)"]) == "True"


def python_version(python: str) -> str:
    """Such as "3.11"; empty where there is no such Python."""
    return answer([python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"])


def answer(command: list[str]) -> str:
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout.strip()
    except OSError:
        return ""


# Handing over


def pip(python: object, *arguments: object) -> None:
    run([python, "-m", "pip", "--disable-pip-version-check", *arguments])


def run(command: list[object]) -> None:
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=ROOT, env=clean_environment()).returncode:
        sys.exit(f"this failed, see above; once it is mended, start again and the work goes on:\n{' '.join(words)}")


def hand_over(command: list[object], **variables: str) -> NoReturn:
    """Become the command where the system can do that, so that Ctrl-C and signals reach it and no one else."""
    words = [str(word) for word in command]
    environment = {**clean_environment(), **variables}
    if os.name == "posix":
        os.execve(words[0], words, environment)
    sys.exit(subprocess.run(words, env=environment).returncode)


def clean_environment() -> dict[str, str]:
    """The caller's environment without what would let other Pythons' packages in."""
    return {
        name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
    }


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
