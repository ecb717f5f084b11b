# SPDX-License-Identifier: GPL-3.0-or-later
"""Which NVIDIA cards this machine has, as `nvidia-smi` tells, which comes with their driver.

Asked on both sides: the installer chooses torch by it, the sidecar examines itself by it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FIELDS = (("name", "driver_version", "compute_cap"), ("name", "driver_version"))
"""What is asked for; drivers from before 2022 do not know the last."""
PATIENCE = 20.0
"""Seconds: the first question after a start of the machine wakes the card."""


@dataclass(frozen=True)
class Card:
    """A card with its driver's version, such as "560.35.03", and its compute capability, None if that is not told."""

    name: str
    driver: str
    capability: tuple[int, int] | None = None

    def __str__(self) -> str:
        return f"{self.name}, driver {self.driver}"


def nvidia_cards() -> list[Card]:
    """The cards, the most capable first. None where there is no driver, or one that does not work."""
    program = next(_programs(), None)
    if program is None:
        return []
    for fields in FIELDS:
        cards = [card for line in _answer(program, fields) if (card := _read(line)) is not None]
        if cards:
            return sorted(cards, key=lambda card: card.capability or (0, 0), reverse=True)
    return []


def without_cuda(card: Card, torch: str) -> str:
    """What is wrong where a torch of version `torch` cannot use `card`."""
    return f"there is an NVIDIA card ({card}), but this torch ({torch}) was built without CUDA"


def _programs() -> Iterator[str]:
    """Where nvidia-smi may be: in the path, else where Windows and its Linux keep it."""
    if found := shutil.which("nvidia-smi"):
        yield found
    places = [Path("/usr/lib/wsl/lib/nvidia-smi")]
    if sys.platform == "win32":
        system = Path(os.environ.get("SYSTEMROOT", r"C:\Windows")) / "System32"
        programs = Path(os.environ.get("PROGRAMFILES", r"C:\Program Files"))
        places = [system / "nvidia-smi.exe", programs / "NVIDIA Corporation" / "NVSMI" / "nvidia-smi.exe"]
    yield from (str(place) for place in places if place.is_file())


def _answer(program: str, fields: tuple[str, ...]) -> list[str]:
    try:
        done = subprocess.run(
            [program, f"--query-gpu={','.join(fields)}", "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=PATIENCE,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []


def _read(line: str) -> Card | None:
    """One card of nvidia-smi's answer; None for a line that is something else."""
    name, driver, *more = [part.strip() for part in line.split(",")] + [""] * 2
    if not name or not driver.replace(".", "").isdecimal():
        return None
    major, _, minor = more[0].partition(".")
    return Card(name, driver, (int(major), int(minor)) if major.isdecimal() and minor.isdecimal() else None)
