#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the two environments this project needs, once, and hands over to ordinary tools.

    python3 dev.py demo       a storyboard in real Blender becomes clips on the timeline (--out DIR; default demo-out)
    python3 dev.py test       the tests; further arguments go to pytest
    python3 dev.py check      format, lint and types, then the tests (--static: without the tests)
    python3 dev.py extension  build the extension's zip and print its path
    python3 dev.py train      train the bundled experts; further arguments go to confiner_lab.training

`.venv` is the sidecar's environment: torch, diffusers, this package (editable), the tools. `.blender/<version>` is
Blender's: its Python module and what that brings along, nothing else. The two are never mixed. `.uv` fills both.
Standard library only, and readable by any Python from 3.9 on, whether a Blender fits it or not.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COMMANDS: dict[str, list[str | Path]] = {
    "demo": [ROOT / "tests" / "host" / "demo.py", "--out", ROOT / "demo-out"],
    "test": ["-m", "pytest"],
    "check": [ROOT / "tests" / "check.py"],
    "extension": ["-m", "confiner_blender.build"],
    "train": ["-m", "confiner_lab.training"],
}
BLENDER_FOR_PYTHON = {"3.11": "4.5", "3.13": "5.2"}  # Blender's module wants one exact Python
LIBRARIES = "EGL.so.1 GL.so.1 X11.so.6 Xrender.so.1 Xfixes.so.3 Xi.so.6 xkbcommon.so.0 SM.so.6 ICE.so.6 Xext.so.6"


def main(command: str = "", *arguments: str) -> None:
    if command not in COMMANDS:
        sys.exit((f"dev.py has no command {command!r}, but these:\n\n" if command else "") + str(__doc__))
    for number in (signal.SIGINT, signal.SIGTERM):  # either ends what was started, too
        signal.signal(number, lambda *_: sys.exit("dev.py: stopped; started again, it goes on with what was fetched"))
    for foreign in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"):
        os.environ.pop(foreign, None)
    version = "{}.{}".format(*sys.version_info)
    if missing := missing_packages():
        apt = "apt-get" if os.name == "posix" and os.geteuid() == 0 else "sudo apt-get"
        install = f"{apt} update && {apt} install -y --no-install-recommends {' '.join(missing)}"
        sys.exit(f"dev.py: packages are missing here. On Debian or Ubuntu, paste:\n{install}")
    if version not in BLENDER_FOR_PYTHON:
        advice = "one is looked for, else fetched (35 MB); else install one, and start dev.py with it"
        print(f"dev.py: Blender wants Python 3.11 or 3.13, not {version}: {advice}", file=sys.stderr)
        hand_over(uv(), "run", "--no-project", "--python", ">=3.11,!=3.12.*,<3.14", __file__, command, *arguments)
    blender, size = BLENDER_FOR_PYTHON[version], (3000, 5500) if shutil.which("nvidia-smi") else (400, 1600)
    sidecar = environment(ROOT / ".venv", size, "constraints.txt", "--editable", ".[dev]")
    module = environment(ROOT / ".blender" / blender, (400, 1000), "blender.txt", f"bpy=={blender}.*")
    os.environ.update(CONFINER_SIDECAR_PYTHON=str(sidecar), CONFINER_BLENDER_PYTHON=str(module))
    if command == "test":
        os.chdir(ROOT)
    hand_over(sidecar, *COMMANDS[command], *arguments)


def environment(folder: Path, megabytes: tuple[int, int], held: str, *packages: str) -> Path:
    """The Python in `folder`, with the `packages` and all that they need in the versions that server/`held` names."""
    lock, base = ROOT / "server" / held, os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    wanted = base + lock.read_text() + (ROOT / "pyproject.toml").read_text()
    install = (uv(), "pip", "install", "--python", python_in(folder), "-c", lock, "-b", lock, *packages)
    return once(folder, megabytes, wanted, (uv(), "venv", "-q", "--no-project", "-p", base, folder), install)


def uv() -> Path:
    """uv in an environment of its own, made by the running Python, whether a Blender fits that or not."""
    folder, lock = ROOT / ".uv", ROOT / "server" / "uv.txt"
    install = (python_in(folder), "-m", "pip", "install", "--quiet", "--no-user", "--requirement", lock)
    return once(folder, (30, 90), lock.read_text(), (sys.executable, "-m", "venv", folder), install).with_name("uv")


def once(folder: Path, megabytes: tuple[int, int], wanted: str, *commands: tuple[object, ...]) -> Path:
    """The Python in `folder`, after the `commands` where what is `wanted` is not there: `megabytes` to fetch, on disk.

    A stamp that names the place, written last, makes it whole: environments cannot be moved. Of two at once, one waits.
    """
    python, stamp, wanted = python_in(folder), folder / "whole", f"{folder}\n{wanted}"
    folder.parent.mkdir(exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("a") as file:
        os.set_inheritable(file.fileno(), True)  # what is started keeps others out too, should it outlive this process
        hold(file.fileno())
        if python.exists() and stamp.exists() and stamp.read_text() == wanted:
            return python
        print(f"dev.py: filling {folder}: {megabytes[0]} MB to fetch, {megabytes[1]} MB on disk", file=sys.stderr)
        for place in filter(Path.exists, (ROOT, Path(os.environ.get("UV_CACHE_DIR", Path.home())))):
            if shutil.disk_usage(place).free < megabytes[1] * 10**6 and not stamp.exists():
                sys.exit(f"dev.py: too little is free in {place}: make room (what is fetched goes to UV_CACHE_DIR)")
        stamp.unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
        for command in commands:
            run(*command)
        stamp.write_text(wanted)
    return python


def hold(file: int) -> None:
    """Wait for the lock on an open file, which the system frees however its holders end."""
    if sys.platform == "win32":
        import msvcrt

        with contextlib.suppress(OSError):  # after ten seconds
            return msvcrt.locking(file, msvcrt.LK_LOCK, 1)
        return hold(file)
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print("dev.py: another one is setting up here: waiting for it", file=sys.stderr)
        fcntl.flock(file, fcntl.LOCK_EX)


def missing_packages() -> list[str]:
    """Debian's, named after the libraries: libX11.so.6 is in libx11-6. Without libEGL a render ends the process."""
    missing = [] if importlib.util.find_spec("ensurepip") else ["python3-venv"]
    for library in LIBRARIES.split() if sys.platform == "linux" else ():
        try:
            ctypes.CDLL(f"lib{library}")
        except OSError:
            missing.append("lib" + re.sub(r"(?<=\d)\.so\.", "-", library.lower()).replace(".so.", ""))
    return missing


def run(*command: object) -> None:
    environment = {**(sources() if command[1] == "pip" else {}), **os.environ}
    if subprocess.run([str(word) for word in command], cwd=ROOT, env=environment, close_fds=False).returncode:
        sys.exit("dev.py: this failed, see above; started again, it goes on with what was fetched")


def sources() -> dict[str, str]:
    """Where packages come from: as pip has been told, which uv does not ask; else torch comes as the GPU wants it."""
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    pip = subprocess.run([uv().with_name("python"), "-m", "pip", "config", "list"], stdout=subprocess.PIPE, text=True)
    told = re.findall(rf"^(\S+)\.({'|'.join(names)})='(.*)'$", pip.stdout, re.MULTILINE)
    found = {key: value.replace(" ", "," if "links" in key else " ") for _, key, value in sorted(told, reverse=True)}
    return {names[key]: value for key, value in found.items()} or {"UV_TORCH_BACKEND": "auto"}


def hand_over(*command: str | Path) -> None:
    """Become the command where the system can do that, so that Ctrl-C and signals reach it and no one else."""
    if os.name == "posix":
        os.execv(command[0], command)
    sys.exit(subprocess.run(command).returncode)


def python_in(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


if __name__ == "__main__":
    main(*sys.argv[1:])
