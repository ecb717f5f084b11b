# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine with another card: an `nvidia-smi` of our own, first in the path, that answers as the real one does."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

RTX_4090 = "NVIDIA GeForce RTX 4090, 560.35.03, 8.9"
GTX_1080_TI = "NVIDIA GeForce GTX 1080 Ti, 551.86, 6.1"
V100 = "Tesla V100-SXM2-16GB, 550.54.15, 7.0"


def write_nvidia_smi(folder: Path, *cards: str, status: int = 0, knows_capability: bool = True) -> Path:
    """Write one that tells of `cards` (name, driver, capability), or fails with `status`. Returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["#!/bin/sh"]
    if status:
        lines += [
            "echo 'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.'",
            f"exit {status}",
        ]
    if not knows_capability:
        unknown = """echo 'Field "compute_cap" is not a valid field to query.'"""
        lines += [f'case "$*" in *compute_cap*) {unknown}; exit 2;; esac']
        cards = tuple(card.rpartition(",")[0] for card in cards)
    lines += [f"echo {shlex.quote(card)}" for card in cards]
    program = folder / "nvidia-smi"
    program.write_text("\n".join(lines) + "\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


def path_with(folder: Path) -> str:
    """A PATH that begins with `folder`."""
    return os.pathsep.join([str(folder), os.environ["PATH"]])
