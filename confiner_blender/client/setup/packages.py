# SPDX-License-Identifier: GPL-3.0-or-later
"""Put the sidecar's wheel and all it needs into its environment, with the torch that the machine can use.

pip knows one torch for each system. uv knows where each build of it is, so pip fetches uv, and uv does the rest.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

from ..programs import Hear, failed, run, spoken
from .pip_settings import SOURCES, for_uv
from .torch_build import TorchBuild

UV = "uv>=0.13,<0.14"
CACHE = "uv-cache"
"""Beside the environment while it is built: what came before an interruption is not fetched again."""


def install_packages(interpreter: Path, wheel: Path, build: TorchBuild, hear: Hear, stop: threading.Event) -> None:
    """Install `wheel`, what it depends on, and the `build` of torch into the environment of `interpreter`.

    Where uv cannot be had, pip installs with the package index's own torch. Where pip was told of sources of its own
    and the place of the build cannot be reached, torch is taken from these.

    Raises:
        ClientError: it cannot be done; what was done stays for the next try.
        Stopped: `stop` was set.
    """
    pip = [str(interpreter), "-m", "pip", "--no-input", "--disable-pip-version-check"]
    quiet = ["install", "--progress-bar", "off"]
    status, lines = spoken([*pip, *quiet, UV], hear, stop)
    if status != 0:
        hear(f"uv cannot be had ({lines[-1] if lines else 'pip said nothing'}): pip takes the torch that it finds")
        run([*pip, *quiet, str(wheel)], hear, stop)
        return
    told = for_uv(spoken([*pip, "config", "list"], lambda line: None, stop)[1])
    environment = {**told, **_manners(interpreter, build)}
    words = uv_words(interpreter, wheel, build)
    status, lines = spoken(words, hear, stop, environment)
    if status != 0 and build.backend and any(name in told or name in os.environ for name in SOURCES):
        hear("that build of torch cannot be had: looking where pip was told to look")
        from_folders = _uv(
            interpreter, "--no-index", "--no-deps", "torch"
        )  # one that lies there was put there for this
        spoken(from_folders, hear, stop, environment)
        words = _uv(interpreter, str(wheel))
        status, lines = spoken(words, hear, stop, environment)
    if status != 0:
        raise failed(words, status, lines)


def uv_words(interpreter: Path, wheel: Path, build: TorchBuild) -> list[str]:
    """The command line that installs everything. A torch of another build that is there already is replaced."""
    backend = ["--torch-backend", build.backend] if build.backend else []
    return _uv(interpreter, "--upgrade-package", "torch", *backend, str(wheel))


def _uv(interpreter: Path, *what: str) -> list[str]:
    beside = interpreter.with_name("uv.exe" if os.name == "nt" else "uv")
    program = [str(beside)] if beside.exists() else [str(interpreter), "-m", "uv"]
    return [*program, "pip", "install", "--python", str(interpreter), "--no-progress", *what]


def _manners(interpreter: Path, build: TorchBuild) -> dict[str, str]:
    """uv keeps what it fetches in the sidecar's folder, brings no Python, and goes by the driver that was seen."""
    driver = {"UV_CUDA_DRIVER_VERSION": build.driver} if build.driver else {}
    cache = interpreter.parents[2] / CACHE
    return {"UV_CACHE_DIR": str(cache), "UV_PYTHON_DOWNLOADS": "never", **driver}
